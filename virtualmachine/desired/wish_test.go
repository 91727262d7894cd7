package desired_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

func TestWishGrown(t *testing.T) {
	cases := map[string]struct {
		reason    string
		now, last string // of the image to install from, "" for none said
		want      map[string]int64
		wantErr   string
	}{
		"Default":  {reason: "nobody says how large it is"},
		"Same":     {reason: "said in other words", now: "8192Mi", last: "8Gi"},
		"SameAsNo": {reason: "what is there by default", now: "8Gi"},
		"Larger": {reason: "an import that finds no room is helped by more", now: "12Gi",
			want: map[string]int64{"cdrom-iso": 12}},
		"Smaller": {reason: "a claim cannot shrink, and the Machine's field is named", now: "7Gi",
			wantErr: "annotation vitistack.io/iso-size: the room of 8 GiB cannot shrink to 7"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			wish := func(size string) desired.Wish {
				m := machine("m", withISOSize(size))
				if size == "" {
					m = machine("m", withImage("https://images.example.com/a.iso", ""))
				}
				w, err := desired.NewWish(desired.Input{Machine: m, Options: options()}, nil)
				if err != nil {
					t.Fatal(err)
				}
				return w
			}
			got, err := wish(tc.now).Grown(wish(tc.last))
			message := ""
			if err != nil {
				message = err.Error()
			}
			if len(got) == 0 {
				got = nil
			}
			if diff := cmp.Diff(tc.want, got); diff != "" || message != tc.wantErr {
				t.Errorf("\n%s\nGrown(...): error %q, want %q; -want +got:\n%s", tc.reason, message, tc.wantErr, diff)
			}
		})
	}
}

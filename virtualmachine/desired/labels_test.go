package desired_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// TestSupervisorLabels: what is written is what is selected, also where an identity is shortened.
func TestSupervisorLabels(t *testing.T) {
	cases := map[string]struct {
		reason, uid, wantErr string
	}{
		"UID":       {reason: "a UID of a namespace stands in a label as it is", uid: supervisorUID},
		"Long":      {reason: "an identity that is too long is shortened", uid: strings.Repeat("a", 64)},
		"Shortened": {reason: "an identity that looks shortened is shortened again", uid: "prod-eu-0123456789abcdef"},
		"Space": {reason: "an identity with a space is refused at once, and not by each cluster", uid: "eu north",
			wantErr: "refusal/InvalidSpec"},
		"Empty": {reason: "an empty identity would be everybody's", wantErr: "refusal/InvalidSpec"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.wantErr, reasonOf(desired.CheckSupervisorUID(tc.uid))); diff != "" {
				t.Errorf("\n%s\nCheckSupervisorUID(%q): -want error +got:\n%s", tc.reason, tc.uid, diff)
			}
			written := desired.Labels(machine("m", nil), desired.Options{SupervisorUID: tc.uid})
			want := map[string]string{vitistackv1alpha1.LabelSupervisorUID: written[vitistackv1alpha1.LabelSupervisorUID]}
			if diff := cmp.Diff(want, desired.SupervisorLabels(tc.uid)); diff != "" {
				t.Errorf("\n%s\nSupervisorLabels(%q): -want +got:\n%s", tc.reason, tc.uid, diff)
			}
		})
	}
}

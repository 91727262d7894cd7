package placement_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

func TestExplicitPlace(t *testing.T) {
	byAnnotation := "named by annotation vitistack.io/kubevirt-config"
	cases := map[string]struct {
		reason string
		ref    placement.Reference
		want   placement.Decision
		err    error
	}{
		"Neither": {
			reason: "no reference is no opinion",
			want:   placement.Decision{Reason: "the machine names no KubevirtConfig"},
		},
		"Annotation": {
			reason: "a Machine may name its cluster in the annotation",
			ref:    placement.Reference{Annotation: "west"},
			want:   placement.Decision{Config: "west", Reason: byAnnotation},
		},
		"Verbatim": {
			reason: "a name with a blank is another name: the chain refuses it as unknown instead of guessing",
			ref:    placement.Reference{Annotation: " west"},
			want:   placement.Decision{Config: " west", Reason: byAnnotation},
		},
		"Field": {
			reason: "a Machine may name its cluster in the field",
			ref:    placement.Reference{Field: "west"},
			want:   placement.Decision{Config: "west", Reason: "named by spec.kubevirtConfigRef"},
		},
		"Both": {
			reason: "both may be set",
			ref:    placement.Reference{Field: "west", Annotation: "west"},
			want:   placement.Decision{Config: "west", Reason: "named by spec.kubevirtConfigRef"},
		},
		"Differ": {
			reason: "two wishes are none that we could follow",
			ref:    placement.Reference{Field: "west", Annotation: "east"},
			err: placement.Refusal{
				Reason: placement.ReasonReferencesDiffer,
				Message: `machine ns/n names KubevirtConfig "west" in spec.kubevirtConfigRef and "east" ` +
					`in annotation 'vitistack.io/kubevirt-config'`,
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := placement.Explicit{}.Place(t.Context(), asking(tc.ref, "east", "west"))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nPlace(): -want, +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.err, err, compareErrors); diff != "" {
				t.Errorf("\n%s\nPlace(): -want error, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

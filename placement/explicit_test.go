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
		"no reference": {
			reason: "a Machine without a reference gets no opinion",
			want:   placement.Decision{Reason: "the machine names no KubevirtConfig"},
		},
		"annotation alone": {
			reason: "a Machine may name its cluster in the annotation",
			ref:    placement.Reference{Annotation: "west"},
			want:   placement.Decision{Config: "west", Reason: byAnnotation},
		},
		"annotation with a blank before the name": {
			reason: "a name with a blank is another name: the chain refuses it as unknown instead of guessing",
			ref:    placement.Reference{Annotation: " west"},
			want:   placement.Decision{Config: " west", Reason: byAnnotation},
		},
		"field alone": {
			reason: "a Machine may name its cluster in the field",
			ref:    placement.Reference{Field: "west"},
			want:   placement.Decision{Config: "west", Reason: "named by spec.kubevirtConfigRef"},
		},
		"field and annotation agree": {
			reason: "a Machine may name the same cluster in both places",
			ref:    placement.Reference{Field: "west", Annotation: "west"},
			want:   placement.Decision{Config: "west", Reason: "named by spec.kubevirtConfigRef"},
		},
		"field and annotation differ": {
			reason: "two different wishes cannot both be followed, so a person must choose",
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

package v1alpha1_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

func TestFormerClusterUIDs(t *testing.T) {
	cases := map[string]struct {
		reason      string
		annotation  string
		former, now string
		want        string
	}{
		"First": {
			reason: "The first cluster that is replaced is remembered, so that records which name it still find their way.",
			former: "a", now: "b", want: "a",
		},
		"Second": {
			reason:     "A second one is added at the end: the oldest stands first.",
			annotation: "a", former: "b", now: "c", want: "a,b",
		},
		"Back": {
			reason:     "A cluster that comes back is the present one and no former one any more.",
			annotation: "a", former: "b", now: "a", want: "b",
		},
		"Same": {
			reason:     "Where nothing changed nothing is added.",
			annotation: "a", former: "b", now: "b", want: "a",
		},
		"Untidy": {
			reason:     "Spaces, gaps and doubles that a person wrote do no harm.",
			annotation: " a,,a , b", former: "c", now: "d", want: "a,b,c",
		},
		"Many": {
			reason:     "The list is bounded: the oldest identity goes.",
			annotation: "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16", former: "17", now: "18",
			want: "2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			config := &vitistackv1alpha1.KubevirtConfig{}
			config.Annotations = map[string]string{vitistackv1alpha1.AnnotationFormerClusterUIDs: tc.annotation}
			got := vitistackv1alpha1.WithFormerClusterUID(config, tc.former, tc.now)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			config.Annotations[vitistackv1alpha1.AnnotationFormerClusterUIDs] = got
			if diff := cmp.Diff(strings.Split(tc.want, ","), vitistackv1alpha1.FormerClusterUIDs(config)); diff != "" {
				t.Errorf("%s It is read back otherwise (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

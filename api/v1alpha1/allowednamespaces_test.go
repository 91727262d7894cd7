package v1alpha1_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

func TestAllows(t *testing.T) {
	gold := &metav1.LabelSelector{MatchLabels: map[string]string{"tier": "gold"}}
	unreadable := &metav1.LabelSelector{
		MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "tier", Operator: "Near"}},
	}
	cases := map[string]struct {
		reason    string
		allowed   *vitistackv1alpha1.AllowedNamespaces
		namespace string
		labels    map[string]string
		want      bool
	}{
		"Absent": {
			reason:    "A KubevirtConfig that says nothing takes Machines of every namespace, as it always did.",
			namespace: "team-a",
			want:      true,
		},
		"Empty": {
			reason:    "An empty allowedNamespaces closes the cluster: it names no namespace.",
			allowed:   &vitistackv1alpha1.AllowedNamespaces{},
			namespace: "team-a",
		},
		"Named": {
			reason:    "A namespace in names is allowed whatever its labels are.",
			allowed:   &vitistackv1alpha1.AllowedNamespaces{Names: []string{"team-a"}, Selector: gold},
			namespace: "team-a",
			want:      true,
		},
		"NotNamed": {
			reason:    "Names are compared as a whole: team-a does not allow team-ab.",
			allowed:   &vitistackv1alpha1.AllowedNamespaces{Names: []string{"team-a"}},
			namespace: "team-ab",
			labels:    map[string]string{"tier": "gold"},
		},
		"Selected": {
			reason:    "A namespace that is not named is allowed when its labels match the selector.",
			allowed:   &vitistackv1alpha1.AllowedNamespaces{Names: []string{"team-a"}, Selector: gold},
			namespace: "team-b",
			labels:    map[string]string{"tier": "gold"},
			want:      true,
		},
		"NotSelected": {
			reason:    "A namespace without the label is not allowed.",
			allowed:   &vitistackv1alpha1.AllowedNamespaces{Selector: gold},
			namespace: "team-b",
		},
		"EmptySelector": {
			reason:    "An empty selector matches every namespace, as everywhere in Kubernetes.",
			allowed:   &vitistackv1alpha1.AllowedNamespaces{Selector: &metav1.LabelSelector{}},
			namespace: "team-b",
			want:      true,
		},
		"UnreadableSelector": {
			reason:    "A selector with an unknown operator allows nothing: a slip of the pen must not open a cluster.",
			allowed:   &vitistackv1alpha1.AllowedNamespaces{Selector: unreadable},
			namespace: "team-b",
			labels:    map[string]string{"tier": "gold"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			config := &vitistackv1alpha1.KubevirtConfig{}
			config.Spec.AllowedNamespaces = tc.allowed
			if got := config.Allows(tc.namespace, tc.labels); got != tc.want {
				t.Errorf("%s got %t", tc.reason, got)
			}
		})
	}
}

package v1alpha1

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// AllowedNamespaces says which namespaces' Machines may be placed in a cluster. A namespace is
// allowed when names holds it, or when selector matches its labels. An AllowedNamespaces with
// neither allows no namespace.
type AllowedNamespaces struct {
	// names are names of namespaces.
	// +optional
	// +listType=set
	Names []string `json:"names,omitempty"`

	// selector matches labels of namespaces. The empty selector matches every namespace.
	// +optional
	Selector *metav1.LabelSelector `json:"selector,omitempty"`
}

// Allows reports whether Machines of a namespace may be placed in the cluster. namespaceLabels are
// the labels of that namespace; only a selector looks at them. A selector that cannot be read
// matches nothing, because a slip of the pen must not open a cluster. It does no I/O.
func (c *KubevirtConfig) Allows(namespace string, namespaceLabels map[string]string) bool {
	allowed := c.Spec.AllowedNamespaces
	if allowed == nil || slices.Contains(allowed.Names, namespace) {
		return true
	}
	if allowed.Selector == nil {
		return false
	}
	selector, err := metav1.LabelSelectorAsSelector(allowed.Selector)
	return err == nil && selector.Matches(labels.Set(namespaceLabels))
}

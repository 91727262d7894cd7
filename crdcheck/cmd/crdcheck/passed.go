package main

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/client-go/kubernetes/scheme"

	"github.com/vitistack/kubevirt-multicluster/crdcheck/source"
)

// mostNamed is how many kinds or files are named where some are passed over.
const mostNamed = 5

// builtIn reports whether Kubernetes serves a group itself, or its tools read objects of it from
// files.
func builtIn(group string) bool {
	others := []string{"apiextensions.k8s.io", "apiregistration.k8s.io", "kustomize.config.k8s.io"}
	return scheme.Scheme.IsGroupRegistered(group) || slices.Contains(others, group)
}

// custom returns the objects that definitions can say something about, and sentences about the
// rest: objects of kinds that Kubernetes has itself, unless a definition is of their group.
func (r *objectReader) custom(sets []source.Set) ([]object, []string) {
	defined := map[string]bool{}
	for _, set := range sets {
		for i := range set.CRDs {
			defined[set.CRDs[i].Spec.Group] = true
		}
	}
	var custom []object
	var kinds []string
	for _, o := range r.found {
		if gvk := o.GroupVersionKind(); builtIn(gvk.Group) && !defined[gvk.Group] {
			kinds = append(kinds, gvk.Kind)
			continue
		}
		custom = append(custom, o)
	}
	return custom, slices.Concat(count(kinds, "object", "of kinds that Kubernetes has itself"), r.passed())
}

// passed returns a sentence about documents of folders that are no objects.
func (r *objectReader) passed() []string {
	return count(r.strange, "document", "without apiVersion and kind")
}

// count returns a sentence that counts things and names what they are, nil where there are none.
func count(named []string, word, which string) []string {
	if len(named) == 0 {
		return nil
	}
	if len(named) > 1 {
		word += "s"
	}
	total := len(named)
	named = slices.Compact(slices.Sorted(slices.Values(named)))
	if more := len(named) - mostNamed; more > 0 {
		named = append(named[:mostNamed:mostNamed], fmt.Sprintf("%d more", more))
	}
	return []string{fmt.Sprintf("%d %s %s (%s)", total, word, which, strings.Join(named, ", "))}
}

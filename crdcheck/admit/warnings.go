package admit

import (
	"fmt"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubeversion "k8s.io/apimachinery/pkg/version"
)

// deprecationWarning are the words of k8s.io/apiextensions-apiserver/pkg/apiserver about a version
// that has no warning of its own: the best newer version is named.
func deprecationWarning(spec *apiextensionsv1.CustomResourceDefinitionSpec, deprecated string) string {
	warning := fmt.Sprintf("%s/%s %s is deprecated", spec.Group, deprecated, spec.Names.Kind)
	best := deprecated
	for _, v := range spec.Versions {
		if v.Served && !v.Deprecated && kubeversion.CompareKubeAwareVersionStrings(best, v.Name) < 0 {
			best = v.Name
		}
	}
	if best == deprecated {
		return warning
	}
	return fmt.Sprintf("%s; use %s/%s %s", warning, spec.Group, best, spec.Names.Kind)
}

// warned adds the warnings that the API server gives about the metadata of an object that it
// accepts. old is nil where the object is new.
func (v Verdict) warned(object, old map[string]any) Verdict {
	if !v.Accepted {
		return v
	}
	is, err := metaOf(object)
	if err != nil {
		return v // it was read before
	}
	var known []string
	if was, err := metaOf(old); err == nil {
		known = was.Finalizers
	}
	v.Warnings = slices.Concat(v.Warnings, ownerWarnings(is.OwnerReferences), finalizerWarnings(is.Finalizers, known))
	return v
}

// finalizerWarnings are the words of k8s.io/apiextensions-apiserver/pkg/registry/customresource,
// which does not export them. Finalizers that the object had before are not told again.
func finalizerWarnings(finalizers, known []string) []string {
	standard := []string{metav1.FinalizerOrphanDependents, metav1.FinalizerDeleteDependents, "kubernetes"}
	var all []string
	for _, name := range sortedOnce(slices.Clone(finalizers)) {
		if strings.Contains(name, "/") || slices.Contains(standard, name) || slices.Contains(known, name) {
			continue
		}
		path := ""
		if strings.Contains(name, ".") {
			path = " including a path (/)"
		}
		all = append(all, fmt.Sprintf(
			"metadata.finalizers: %q: prefer a domain-qualified finalizer name%s to avoid accidental conflicts with "+
				"other finalizer writers", name, path,
		))
	}
	return all
}

const duplicateOwners = ".metadata.ownerReferences contains duplicate entries; API server dedups owner references " +
	"in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: %v"

// ownerWarnings are the words of k8s.io/apiserver/pkg/endpoints/handlers, which is not small: owners
// that are there twice are kept once.
func ownerWarnings(owners []metav1.OwnerReference) []string {
	var twice []string
	for i, owner := range owners {
		same := func(other metav1.OwnerReference) bool { return apiequality.Semantic.DeepEqual(owner, other) }
		if slices.ContainsFunc(owners[:i], same) {
			twice = append(twice, string(owner.UID))
		}
	}
	if len(twice) == 0 {
		return nil
	}
	return []string{fmt.Sprintf(duplicateOwners, strings.Join(twice, ", "))}
}

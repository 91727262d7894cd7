package crdcheck

import (
	"fmt"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// Snapshot is what is known of the CRDs of one cluster at one time. It is small: schemas are kept
// without descriptions, and the CRDs that it was made from are not referred to. The zero value is
// an unnamed cluster without CRDs.
type Snapshot struct {
	cluster     string
	unknown     string // why nothing is known; "" where it is
	definitions map[string]*definition
}

// Observed returns the snapshot of a cluster that has these CRDs, in any order, and no others that
// matter. Two CRDs of one name, or a CRD whose schema cannot be read, make the cluster unknown.
func Observed(cluster string, crds ...apiextensionsv1.CustomResourceDefinition) Snapshot {
	s := Snapshot{cluster: cluster, definitions: make(map[string]*definition, len(crds))}
	var broken []string
	for i := range crds {
		name := crds[i].Name
		d, err := compile(&crds[i])
		if err != nil {
			broken = append(broken, err.Error())
			continue
		}
		if _, found := s.definitions[name]; found {
			broken = append(broken, fmt.Sprintf("two definitions of %s", name))
			continue
		}
		s.definitions[name] = d
	}
	if len(broken) > 0 {
		return Unobserved(cluster, smallest(broken))
	}
	return s
}

// Unobserved returns the snapshot of a cluster that could not be read, and why: "no answer in
// time".
func Unobserved(cluster, reason string) Snapshot {
	if reason == "" {
		reason = "not observed"
	}
	return Snapshot{cluster: cluster, unknown: reason}
}

// Cluster returns the cluster's name.
func (s Snapshot) Cluster() string { return s.cluster }

// smallest keeps a reason the same in whatever order the faults were met.
func smallest(texts []string) string {
	first := texts[0]
	for _, text := range texts {
		first = min(first, text)
	}
	return first
}

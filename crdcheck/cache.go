package crdcheck

import (
	"crypto/sha256"
	"encoding/binary"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/vitistack/kubevirt-multicluster/crdcheck/internal/kept"
)

// Definition is one compiled CRD. It is never changed, so that snapshots of many clusters may share
// it.
type Definition struct {
	name     string
	compiled *definition
}

// Name returns the definition's name: plural.group.
func (d Definition) Name() string { return d.name }

// Cache keeps definitions that are equal once, and compiles them once, as long as a Definition or a
// Snapshot holds them. The zero value works. Its methods are safe for concurrent use.
type Cache struct {
	definitions kept.Values[digest, definition]
}

type digest [sha256.Size]byte

// Compile returns the definition of a CRD. The error says which part of it cannot be read.
func (c *Cache) Compile(crd *apiextensionsv1.CustomResourceDefinition) (Definition, error) {
	key, err := digestOf(crd)
	if err != nil {
		return Definition{}, err
	}
	compiled, err := c.definitions.Get(key, func() (*definition, error) { return compile(crd) })
	return Definition{name: crd.Name, compiled: compiled}, err
}

// Compiled returns how many definitions were compiled so far.
func (c *Cache) Compiled() int { return c.definitions.Made() }

// digestOf is equal for CRDs that say the same in the same words, whichever cluster they are in.
func digestOf(crd *apiextensionsv1.CustomResourceDefinition) (digest, error) {
	spec := crd.Spec
	if c := spec.Conversion; c != nil && c.Webhook != nil && c.Webhook.ClientConfig != nil {
		spec.Conversion = c.DeepCopy() // without the certificate, which is another one in every cluster
		spec.Conversion.Webhook.ClientConfig.CABundle = nil
	}
	encoded, err := spec.Marshal() // protobuf with sorted keys
	if err != nil {
		return digest{}, err
	}
	sum := sha256.New()
	var length [8]byte
	binary.BigEndian.PutUint64(length[:], uint64(len(encoded)))
	sum.Write(length[:])
	sum.Write(encoded)
	for _, stored := range crd.Status.StoredVersions {
		hashText(sum, stored)
	}
	return digest(sum.Sum(nil)), nil
}

// Gathered returns the snapshot of a cluster that has these definitions and no others that matter.
// Two of one name make it unknown.
func Gathered(cluster string, definitions ...Definition) Snapshot {
	s := Snapshot{cluster: cluster, definitions: make(map[string]*definition, len(definitions))}
	for _, d := range definitions {
		if _, found := s.definitions[d.name]; found {
			return Unobserved(cluster, "two definitions of "+d.name)
		}
		s.definitions[d.name] = d.compiled
	}
	return s
}

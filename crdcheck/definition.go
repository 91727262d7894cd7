package crdcheck

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	kubeversion "k8s.io/apimachinery/pkg/version"
)

// definition is what comparisons need of a CRD.
type definition struct {
	scope    string
	versions map[string]*version
	stored   []string // status.storedVersions, sorted
}

// version is one version of a definition.
type version struct {
	served, storage, deprecated bool
	nodes                       map[string]node // by path; nil where there is no schema
	hash                        string          // equal where the normalised schemas are
}

func compile(crd *apiextensionsv1.CustomResourceDefinition) (*definition, error) {
	d := &definition{
		scope:    string(crd.Spec.Scope),
		versions: make(map[string]*version, len(crd.Spec.Versions)),
		stored:   slices.Sorted(slices.Values(crd.Status.StoredVersions)),
	}
	if twice := repeated(crd.Spec.Versions); twice != "" {
		return nil, fmt.Errorf("%s has version %s twice", crd.Name, twice)
	}
	for i := range crd.Spec.Versions {
		declared := &crd.Spec.Versions[i]
		v := &version{served: declared.Served, storage: declared.Storage, deprecated: declared.Deprecated}
		if declared.Schema != nil && declared.Schema.OpenAPIV3Schema != nil {
			nodes, err := compileSchema(declared.Schema.OpenAPIV3Schema)
			if err != nil {
				return nil, fmt.Errorf("schema of %s %s: %w", crd.Name, declared.Name, err)
			}
			v.nodes, v.hash = nodes, hashNodes(nodes)
		}
		d.versions[declared.Name] = v
	}
	return d, nil
}

func hashNodes(nodes map[string]node) string {
	sum := sha256.New()
	for _, path := range slices.Sorted(maps.Keys(nodes)) {
		line, _ := json.Marshal([]string{path, nodes[path].facets}) // strings always encode
		sum.Write(line)
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// names returns the versions' names, newest first as Kubernetes orders them.
func (d *definition) names() []string {
	return slices.SortedFunc(maps.Keys(d.versions), func(a, b string) int { return kubeversion.CompareKubeAwareVersionStrings(b, a) })
}

// versionSet describes all that belongs to the word version: "v1 served storage, v1alpha3 served deprecated; stored: v1".
func (d *definition) versionSet() string {
	described := make([]string, 0, len(d.versions))
	for _, name := range d.names() {
		described = append(described, name+d.versions[name].marks())
	}
	stored := "none"
	if len(d.stored) > 0 {
		stored = strings.Join(d.stored, ", ")
	}
	return strings.Join(described, ", ") + "; stored: " + stored
}

func (v *version) marks() string {
	marks := " unserved"
	if v.served {
		marks = " served"
	}
	if v.storage {
		marks += " storage"
	}
	if v.deprecated {
		marks += " deprecated"
	}
	return marks
}

// repeated returns the name of a version that is there more than once, or "".
func repeated(versions []apiextensionsv1.CustomResourceDefinitionVersion) string {
	seen := map[string]bool{}
	for i := range versions {
		if name := versions[i].Name; seen[name] {
			return name
		}
		seen[versions[i].Name] = true
	}
	return ""
}

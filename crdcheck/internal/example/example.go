// Package example makes definitions and objects of the examples of rules. Tests use it.
package example

import (
	"maps"
	"slices"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

// CRD is the name of the definition that Definition returns.
const CRD = "boats.harbour.example"

const definition = `
metadata: {name: boats.harbour.example}
spec:
  group: harbour.example
  scope: Namespaced
  names: {plural: boats, kind: Boat}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object}}}]
`

const object = `
apiVersion: harbour.example/v1
kind: Boat
metadata: {name: b, namespace: default}
`

// Definition returns a definition with a part of an example merged over it, none where the part is
// Absent. The error is that of YAML, or of a key that is not known.
func Definition(part string) ([]apiextensionsv1.CustomResourceDefinition, error) {
	if part == crdcheck.Absent {
		return nil, nil
	}
	whole, err := merged(definition, part)
	if err != nil {
		return nil, err
	}
	text, err := yaml.Marshal(whole)
	if err != nil {
		return nil, err
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(text, &crd); err != nil {
		return nil, err
	}
	return []apiextensionsv1.CustomResourceDefinition{crd}, nil
}

// Object returns an object of the definition with a part of an example merged over it. The error is
// that of YAML.
func Object(part string) (map[string]any, error) { return merged(object, part) }

func merged(text, part string) (map[string]any, error) {
	whole, patch := map[string]any{}, map[string]any{}
	if err := yaml.UnmarshalStrict([]byte(text), &whole); err != nil {
		return nil, err
	}
	if err := yaml.UnmarshalStrict([]byte(part), &patch); err != nil {
		return nil, err
	}
	merge(whole, patch)
	return whole, nil
}

// merge puts a patch over a document, map by map.
func merge(into, patch map[string]any) {
	for _, key := range slices.Sorted(maps.Keys(patch)) {
		below, isMap := patch[key].(map[string]any)
		if former, was := into[key].(map[string]any); isMap && was {
			merge(former, below)
			continue
		}
		into[key] = patch[key]
	}
}

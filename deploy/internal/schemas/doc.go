// Package schemas turns custom resource definitions into JSON Schemas, which editors and checkers
// of manifests read without a cluster.
//
//	files, err := schemas.Of(definition)
//	// vitistack.io/machine_v1alpha1.json
//	// master-standalone/machine-vitistack-v1alpha1.json
//	// master-standalone-strict/machine-vitistack-v1alpha1.json
//
// The first layout is that of the catalogues of definitions; kubeconform reads it by
//
//	-schema-location 'FOLDER/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json'
//
// The others are those that kubeval and kubeconform expect below a schema location without a
// pattern. Names that a definition does not know are refused in the first and the last, as the
// command kubectl apply does by default, and let through in the second.
package schemas

// Package crds holds the CustomResourceDefinitions of vitistack.io, as generated from the types in
// v1alpha1.
//
//	for name, definition := range crds.YAML() {
//		fmt.Println(name, len(definition)) // machines.vitistack.io 12345
//	}
//
// They are a superset of the public ones, so they may replace them where the scope of
// KubevirtConfig is namespaced. A scope cannot be changed in place: where a cluster-scoped
// KubevirtConfig is installed, leave it there.
package crds

import (
	"embed"
	"io/fs"
	"strings"
)

// FS holds one file a definition, each with one YAML document, called <group>_<plural>.yaml. It is
// read-only and safe for concurrent use.
//
//go:embed *.yaml
var FS embed.FS

// YAML returns the definitions by metadata.name, for example machines.vitistack.io. The map and its
// values are the caller's. It does no I/O and does not parse what it returns.
func YAML() map[string][]byte {
	files, err := fs.Glob(FS, "*.yaml")
	if err != nil {
		panic(err) // impossible: the pattern is valid
	}
	definitions := map[string][]byte{}
	for _, file := range files {
		content, err := FS.ReadFile(file)
		if err != nil {
			panic(err) // impossible: the name comes from the same read-only file system
		}
		group, plural, _ := strings.Cut(strings.TrimSuffix(file, ".yaml"), "_")
		definitions[plural+"."+group] = content
	}
	return definitions
}

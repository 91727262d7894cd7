// Package samples holds one manifest of every shape that the vitistack.io kinds come in: of the
// public definitions as first released and as they are today, and of this project. Tests apply them
// to API servers and compare what comes back.
//
//	for name, manifest := range samples.YAML() {
//		fmt.Println(name, len(manifest)) // machine-full 1234
//	}
//
// The namespaces default, kubevirt-configs, team-a, team-b and team-c must exist. A manifest with a
// status shows what the status subresource admits.
package samples

import (
	"embed"
	"io/fs"
	"strings"
)

// FS holds one file a manifest, each with one YAML document, called <kind>-<shape>.yaml. It is
// read-only and safe for concurrent use.
//
//go:embed *.yaml
var FS embed.FS

// YAML returns the manifests by the name of their file without its ending, for example
// machine-full. The map and its values are the caller's. It does no I/O and does not parse what it
// returns.
func YAML() map[string][]byte {
	files, err := fs.Glob(FS, "*.yaml")
	if err != nil {
		panic(err) // impossible: the pattern is valid
	}
	manifests := map[string][]byte{}
	for _, file := range files {
		content, err := FS.ReadFile(file)
		if err != nil {
			panic(err) // impossible: the name comes from the same read-only file system
		}
		manifests[strings.TrimSuffix(file, ".yaml")] = content
	}
	return manifests
}

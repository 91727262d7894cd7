// Package release makes everything that a release publishes, and publishes nothing.
//
//	planned, err := release.Write(ctx, release.Options{Clone: "..", Folder: "dist/release"})
//
// The folder gets the names of the tags in their order, the notes, and for a release of the operator
// install.yaml, the chart, JSON Schemas of the definitions, the programs for each platform with
// their bills of materials, the manifest for krew, and SHA256SUMS of all of it.
//
// All of it is made from the commit, not from the working tree, and the programs from the modules
// by their versions, as `go install MODULE@VERSION` makes them once the tags are there: they say
// their version, and no line of a workspace or a replace line is in them. The same commit gives the
// same bytes.
//
// Open release.go first; programs.go says how programs are compiled.
package release

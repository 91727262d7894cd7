// Package image builds the operator's container image from static binaries, without a container
// engine: it writes the layers, the configuration, the manifests and the index itself.
//
//	built, err := image.Build(image.Options{Version: "v0.1.0", Created: commitTime, Programs: map[string]image.Programs{
//		"amd64": {Operator: "dist/amd64/operator", Plugins: "dist/amd64/plugins"},
//	}})
//	err = built.Push(ctx, reference) // the index, and a software bill of materials for each platform
//
// The same programs and options give the same bytes, on any machine: files are sorted, belong to
// root, have fixed modes and the time of the commit, and the certificates come from a Go module.
// Nobody can change what is in the image while it runs: all of it belongs to root, and the operator
// is user 65532.
//
// Open image.go first; layer.go is what the file system consists of, and sbom.go how the bill of
// materials goes with an image.
package image

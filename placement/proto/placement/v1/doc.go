// Package placementv1 is generated from the protocol of placement plugins. Plugin authors in Go use
// package plugin instead; authors in other languages generate their own code from the .proto files
// beside it.
package placementv1

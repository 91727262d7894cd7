// Package source reads definitions from where they are kept: files, folders, streams, commits,
// clusters. It does I/O; what it returns are the values that package crdcheck works on.
package source

// Package compatibility tells whether a remote cluster has what the operator writes and reads
// there, again and again while it runs.
//
// usage.yaml is what that is. It is held by tests to what package desired really writes and package
// observed really reads. `crdcheck --usage` takes the same file.
package compatibility

// Package observe reads the CRDs of a cluster again and again, and as little as it takes: one
// request for the metadata of all definitions, and one for each definition that is not as it was.
package observe

// Package documents holds the documents of the repository to its code. It has tests alone.
//
// They read the repository through the link testdata/repository: go test keeps an old result unless a file changes that it
// saw being read inside this module, and the link puts all of them there.
package documents

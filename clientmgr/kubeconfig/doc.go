// Package kubeconfig reads kubeconfigs that nobody vouches for.
//
//	target, err := kubeconfig.Parse(data, kubeconfig.Options{})
//
// Parse takes what is inert (an address, certificates, a credential) and refuses by name what would
// run a program, read a file of this machine, skip the verification of the server, or act as
// somebody else. It is pure: no I/O, no clock. Whether certificates are valid now is asked by
// Target.CheckAt. A Parser does both, and remembers the last file.
//
// Its errors name fields and never repeat a value, names of clusters, contexts and users included;
// a Target prints without its secrets. A file that tools read in two ways is refused: keys that are
// there twice or in another case, aliases, merge keys, tags, several documents.
//
// Open parse.go first: it reads the file (document.go, shape.go), and then takes each part of the
// entries in use.
package kubeconfig

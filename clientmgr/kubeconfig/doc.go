// Package kubeconfig reads kubeconfigs that nobody vouches for.
//
//	target, err := kubeconfig.Parse(data, kubeconfig.Options{})
//
// Parse takes what is inert (an address, certificates, a credential) and refuses by name what would
// run a program, read a file of this machine, skip the verification of the server, or act as
// somebody else. It is pure: no I/O, no clock.
//
// Its errors name fields and never repeat a value, names of clusters, contexts and users included;
// a Target prints without its secrets.
package kubeconfig

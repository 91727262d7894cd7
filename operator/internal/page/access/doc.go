// Package access says who somebody is and what he may see, by asking the supervisor: TokenReview
// and SubjectAccessReview, with Kubernetes' own libraries.
//
//	gate, err := access.New(config, httpClient, access.Options{ConfigsNamespace: "kubevirt-configs"})
//	who, err := gate.Who(request)         // a bearer token, or a front proxy's headers
//	viewer, err := gate.Viewer(ctx, who)  // what he may list
//
// A front proxy's headers count on a connection with a client certificate of the proxy's authority
// and name, and on no other. That a connection comes from the loopback address proves nothing:
// kubectl port-forward gives one to everybody.
//
// Verdicts are kept for a minute, refusals to list for ten seconds, and a bounded number of them.
// Where the supervisor does not answer, nobody sees anything.
package access

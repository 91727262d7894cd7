// Package transport is an http.RoundTripper for a Kubernetes API server whose address and
// credential can be replaced underneath its users.
//
//	endpoint, err := transport.NewEndpoint(target, transport.EndpointOptions{})
//	swap := transport.NewSwap(endpoint, transport.SwapOptions{})
//	config := &rest.Config{Host: transport.Host("cluster-east"), Transport: swap, QPS: -1}
//	...
//	swap.Set(rotated)
//
// One Swap lives as long as what is cached from the cluster. It keeps watches resumable: a break of
// a stream reads as its end, and a watch that resumes is parked until the server answers again.
// client-go then goes on from the version it has, where it would otherwise list everything anew.
// Calls that certainly never reached the server, or were refused with 401, are held for a moment in
// case a new credential arrives.
//
// A write whose context has a deadline tells the server how long that leaves, so that the server's
// own sentence arrives before the caller has given up.
//
// A Swap neither knows nor checks which cluster it leads to. Whoever calls Set must have asked the
// candidate for its identity first: resuming a watch on another cluster corrupts the cache without
// any error.
package transport

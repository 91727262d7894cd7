// Package fleet starts what the operator lives in: a supervisor cluster and a number of remote
// clusters with KubeVirt, all real, each behind a proxy that can misbehave.
//
//	f := fleet.New(t, fleet.Options{Remotes: 3})
//	east := f.Remotes[0]
//	err := east.SetFault(faults.Fault{Kind: faults.Blackhole}) // for those who come with the operator's identity
//	err = east.Freeze()                                        // for everybody
//
// The supervisor has our custom resource definitions, the namespace kubevirt-configs, and for each
// remote a KubevirtConfig and the Secret that it refers to. Those Secrets, and the operator's own
// kubeconfig, carry an identity with exactly the rights of api/rbac and lead through the proxies;
// the admin kubeconfigs do not.
//
// A killed cluster's proxy refuses connections, as a machine does on which no API server runs; what
// was set before comes back when the cluster is started. Proxies pass TLS through untouched unless
// a fault needs to see requests or Options.Terminate asks for it.
//
// Whatever fails, nothing is left half-done: a start that fails or is called off leaves nothing; a
// cluster whose restart fails is killed; a rotation that fails leaves the operator with a
// credential that works. When the process ends, in whatever way, its servers end, and the fleet's
// files go; files of others in its folder stay. A folder belongs to one fleet until all of that has
// gone.
package fleet

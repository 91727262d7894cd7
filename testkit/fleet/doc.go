// Package fleet starts what the operator lives in: a supervisor cluster and a number of remote clusters with KubeVirt, all real, each
// remote behind a proxy that can misbehave.
//
//	f := fleet.New(t, fleet.Options{Remotes: 3})
//	east := f.Remotes[0]
//	east.Proxy.Set(faults.Fault{Kind: faults.Blackhole}) // for clients who come through its Secret
//	err := east.Freeze()                                // for everybody
//
// The supervisor has our custom resource definitions, the namespace kubevirt-configs, and for each remote a KubevirtConfig and the Secret
// that it refers to. Those Secrets, and the operator's own kubeconfig, carry an identity with exactly the rights of operator/api/rbac and
// lead through the proxies; the admin kubeconfigs do not.
package fleet

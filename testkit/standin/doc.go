// Package standin has stand-ins of remote clusters: API servers in this process, of which a machine
// can run a thousand where it can run eight real ones. All figures that come from them say so.
//
//	servers, err := standin.NewServers(standin.Options{})
//	defer servers.Close()
//	east, err := servers.Start("east")
//	kubeconfig := east.Kubeconfig()
//
// A Server has an address and TLS of its own, and answers what the operator asks of a remote
// cluster: discovery, reads, lists, watches (with bookmarks, with what there is first, and with 410
// Gone), creations, patches (merge and JSON), deletions, and reviews of rights. All servers keep
// their objects in one store in memory. A Cluster is one cluster's part of it. It plays KubeVirt
// and CDI as well: a VirtualMachine that runs gets its DataVolumes and its instance, in the steps
// that kubevirt/agent takes.
//
// What a stand-in does not do: it checks no schema, and of rights only that definitions are not
// listed, as the operator's role has it; it knows no admission, no server-side
// apply, no metadata alone and no pages of lists, and forgets everything when it ends.
//
// Open server.go and cluster.go first; collection.go has the objects and the events of one kind,
// and guest.go plays KubeVirt.
package standin

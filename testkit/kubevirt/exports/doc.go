// Package exports is the way on which disks leave a cluster.
//
// A Server is one process of KubeVirt's virt-exportserver, which serves the disks of one export
// inside the cluster. A Proxy stands for the Ingress and for KubeVirt's virt-exportproxy: it takes
// requests from outside, asks for the export and passes them to its server. KubeVirt's own
// virt-exportproxy cannot run here: it looks servers up in the machine's DNS, by names of the
// cluster, and on port 443.
//
//	names := exports.NewNames() // what DNS answers: one for all clusters that see each other
//	faults := exports.NewFaults()
//	proxy := exports.NewProxy(exports.Options{Address: "127.0.0.1:8443", Faults: faults, …})
//	go proxy.Start(ctx)
//	faults.Set(exports.Fault{BreakAfter: 1000})
package exports

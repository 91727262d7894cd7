// Package node plays the scheduler and the one node of a cluster in a test: what a Deployment asks
// for runs, as package pod runs it, and `kubectl rollout status` and `kubectl logs` answer.
//
//	played, err := node.Start(ctx, node.Options{Cluster: cluster, Namespace: "kubevirt-operator", Folder: folder})
//	defer played.Stop()
//
// The images are pulled, the volumes are what their sources are at that moment, and probes are
// asked. It differs from a kubelet in this: all Pods share the network of the machine, so that each
// is told ports of its own by the flags of the operator; images and volumes of other kinds than the
// chart has are refused.
package node

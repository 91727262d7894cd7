// Package agent plays what a KubeVirt cluster needs machines or other products for: the scheduler,
// kubelet, Multus and virt-handler of one node, CDI, and the provisioner of the default
// StorageClass. In a light cluster it plays virt-controller too.
//
//	a, err := agent.Start(ctx, agent.Options{Cluster: "cluster-east", Config: config, Contents: store})
//	if err != nil { … }
//	defer a.Stop()
//
// It acts on what it watches and polls nothing but what is on its way into a disk; after a break it
// goes on where the cluster stands.
//
// Disks leave a cluster through the servers of package exports, which the agent runs for the Pods of
// exports, and come in by package imports: see downloads.
//
// A guest runs once everything that its VirtualMachineInstance names is there, and reports what a
// real one would. Guests and imports misbehave as their annotations, or a Script, ask them to: see
// Guest and Import.
package agent

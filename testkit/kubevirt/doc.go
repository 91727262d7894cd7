// Package kubevirt puts KubeVirt on a real control plane.
//
//	stack, err := kubevirt.Start(ctx, cluster, kubevirt.Options{})
//	if err != nil { … }
//	defer stack.Stop()
//
// In mode Real, KubeVirt's own virt-api and virt-controller run, with their webhooks and
// subresources: what they accept, refuse, fill in and report is theirs. What needs a machine
// (kubelet, virt-handler) or another product (CDI, a volume provisioner) is played by package
// agent, which runs KubeVirt's virt-exportserver for exports. In mode Light, which starts in a
// fraction of the time and memory, the agent plays virt-controller too, nothing is exported, and
// nothing judges a virtual machine but the schemas of its kind.
//
// A Stack can be frozen, killed and started again beside its control plane. Nothing of it survives
// this process, however that ends. The programs and manifests come from the cache that `make tools`
// fills; a missing one is an error.
package kubevirt

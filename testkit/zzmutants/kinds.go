package observer

import (
	"k8s.io/apimachinery/pkg/runtime/schema"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// The resources that are looked at by name.
const (
	virtualMachines = "virtualmachines"
	instances       = "virtualmachineinstances"
	dataVolumes     = "datavolumes"
	claims          = "persistentvolumeclaims"
	secrets         = "secrets"
	configMaps      = "configmaps"
	exports         = "virtualmachineexports"
	attachments     = "network-attachment-definitions"
	namespaces      = "namespaces"
	machines        = "machines"
	moves           = "machinemoves"
	configs         = "kubevirtconfigs"
	classes         = "machineclasses"
	networkConfigs  = "networkconfigurations"
	events          = "events"
)

// followedRemotely are the kinds that are followed in each remote.
func followedRemotely() []schema.GroupVersionResource {
	return []schema.GroupVersionResource{
		{Group: "kubevirt.io", Version: "v1", Resource: virtualMachines},
		{Group: "kubevirt.io", Version: "v1", Resource: instances},
		{Group: "cdi.kubevirt.io", Version: "v1beta1", Resource: dataVolumes},
		{Group: "export.kubevirt.io", Version: "v1beta1", Resource: exports},
		{Group: "k8s.cni.cncf.io", Version: "v1", Resource: attachments},
		{Version: "v1", Resource: claims},
		{Version: "v1", Resource: secrets},
		{Version: "v1", Resource: configMaps},
	}
}

// followedInSupervisor are the kinds that are followed in the supervisor.
func followedInSupervisor() []schema.GroupVersionResource {
	ours := func(resource string) schema.GroupVersionResource {
		return vitistackv1alpha1.SchemeGroupVersion.WithResource(resource)
	}
	return []schema.GroupVersionResource{
		ours(machines), ours(moves), ours(configs), ours(classes), ours(networkConfigs),
		{Version: "v1", Resource: configMaps},
		{Version: "v1", Resource: secrets},
		{Group: "events.k8s.io", Version: "v1", Resource: events},
	}
}

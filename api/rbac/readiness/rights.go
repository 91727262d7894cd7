// Package readiness holds the markers of the rights that a KubevirtConfig's kubeconfig needs beyond
// those of package remote, so that it can be told whether a Machine can run there. They read and
// write nothing. Without one, what it would tell is unknown. role.yaml is generated from them;
// access.yaml says who has them.
package readiness

// Room, CPU models, architectures, devices: also for the strategy capacity and for the Fleet page.
//
// +kubebuilder:rbac:groups="",resources=nodes;pods,verbs=list
// +kubebuilder:rbac:groups="",resources=resourcequotas;limitranges,verbs=list
//
// What a virtual machine refers to in its namespace.
//
// +kubebuilder:rbac:groups="",resources=configmaps;serviceaccounts,verbs=get
// +kubebuilder:rbac:groups=cdi.kubevirt.io,resources=storageprofiles,verbs=list
// +kubebuilder:rbac:groups=instancetype.kubevirt.io,resources=virtualmachineclusterinstancetypes;virtualmachineinstancetypes,verbs=get
// +kubebuilder:rbac:groups=instancetype.kubevirt.io,resources=virtualmachineclusterpreferences;virtualmachinepreferences,verbs=get

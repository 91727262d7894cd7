// Package remote holds the markers of the rights that a KubevirtConfig's kubeconfig needs where the
// virtual machines are. role.yaml is generated from them; access.yaml says who has them.
package remote

// get: the UID of kube-system is the cluster's identity. create: the namespace of a Machine;
// without it, namespaces are made by people.
//
// +kubebuilder:rbac:groups="",resources=namespaces,verbs=get;create
// +kubebuilder:rbac:groups=kubevirt.io,resources=virtualmachines,verbs=get;list;watch;create;patch;delete
//
// patch: the labels of an adopted, running instance.
//
// +kubebuilder:rbac:groups=kubevirt.io,resources=virtualmachineinstances,verbs=get;list;watch;patch
// +kubebuilder:rbac:groups=kubevirt.io,resources=kubevirts,verbs=list
//
// patch: the labels of disks that came with an adopted virtual machine. delete: those that theirs
// left behind.
//
// +kubebuilder:rbac:groups=cdi.kubevirt.io,resources=datavolumes,verbs=get;list;watch;patch;delete
// +kubebuilder:rbac:groups="",resources=persistentvolumeclaims,verbs=get;list;patch;delete
//
// cloud-init data that KubeVirt does not take inline, by name: there is no list and no watch.
//
// +kubebuilder:rbac:groups="",resources=secrets,verbs=get;create;delete
// +kubebuilder:rbac:groups=storage.k8s.io,resources=storageclasses,verbs=list
// +kubebuilder:rbac:groups=k8s.cni.cncf.io,resources=network-attachment-definitions,verbs=get;create
// +kubebuilder:rbac:groups=apiextensions.k8s.io,resources=customresourcedefinitions,verbs=get

// Package moves holds the markers of the rights that a KubevirtConfig's kubeconfig needs, beside those
// of package remote, where Machines are moved from or to its cluster. role.yaml is generated from
// them; access.yaml says who has them.
package moves

// The offer of a stopped virtual machine's disks, and whether its launcher is really gone.
//
// +kubebuilder:rbac:groups=export.kubevirt.io,resources=virtualmachineexports,verbs=get;create;delete
// +kubebuilder:rbac:groups="",resources=pods,verbs=list
//
// What the target cluster's import trusts, by name: there is no list and no watch.
//
// +kubebuilder:rbac:groups="",resources=configmaps,verbs=get;create;delete
//
// Whether disks can be offered to other clusters at all: what leads to KubeVirt's virt-exportproxy.
// Without these rights that is seen when the guest is off already.
//
// +kubebuilder:rbac:groups=networking.k8s.io,resources=ingresses,verbs=list
// +kubebuilder:rbac:groups=route.openshift.io,resources=routes,verbs=list
//
// Snapshots of the guest, which would stay behind.
//
// +kubebuilder:rbac:groups=snapshot.kubevirt.io,resources=virtualmachinesnapshots,verbs=list

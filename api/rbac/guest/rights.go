// Package guest holds the markers of the rights that a KubevirtConfig's kubeconfig needs, beside those
// of package remote, where guests are restarted, paused and resumed by an annotation of their Machine.
// role.yaml is generated from them; access.yaml says who has them.
package guest

// KubeVirt's own verbs. Its aggregated API server answers them; there is nothing to read.
//
// +kubebuilder:rbac:groups=subresources.kubevirt.io,resources=virtualmachines/restart,verbs=update
// +kubebuilder:rbac:groups=subresources.kubevirt.io,resources=virtualmachineinstances/pause;virtualmachineinstances/unpause,verbs=update

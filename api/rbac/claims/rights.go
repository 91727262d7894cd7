// Package claims holds the marker of the rights that the operator needs with the flag
// --legacy-supervisor-claims. role.yaml is generated from it; access.yaml says who has them.
package claims

// Disks of layouts that kept them in the supervisor: they are labelled when their virtual machine
// is adopted, and deleted with the Machine.
//
// +kubebuilder:rbac:groups="",resources=persistentvolumeclaims,verbs=list;patch;delete

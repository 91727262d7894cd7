// Package page holds the markers of the rights that the operator needs to serve the Fleet page, with
// the flag --page-bind-address. role.yaml is generated from them; access.yaml says who has them.
package page

// Who somebody is, and what he may see, is the API server's word. Both are questions: nothing is
// stored.
//
// +kubebuilder:rbac:groups=authentication.k8s.io,resources=tokenreviews,verbs=create
// +kubebuilder:rbac:groups=authorization.k8s.io,resources=subjectaccessreviews,verbs=create

package main

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"kubevirt.io/kubevirt/pkg/virt-operator/resource/generate/components"
)

// namespace is where virt-operator installs KubeVirt.
const namespace = "kubevirt"

// webhooks returns the configurations of virt-api's webhooks as virt-operator writes them: each is
// reached through a Service, by its path.
func webhooks() ([]any, error) {
	mutating := components.NewVirtAPIMutatingWebhookConfiguration(namespace)
	mutating.TypeMeta = metav1.TypeMeta{APIVersion: "admissionregistration.k8s.io/v1",
		Kind: "MutatingWebhookConfiguration"}
	validating := components.NewVirtAPIValidatingWebhookConfiguration(namespace)
	validating.TypeMeta = metav1.TypeMeta{APIVersion: "admissionregistration.k8s.io/v1",
		Kind: "ValidatingWebhookConfiguration"}
	return []any{mutating, validating}, nil
}

package main

import (
	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// networkAttachmentDefinition is the kind that Multus reads, as the Network Plumbing Working
// Group's "Kubernetes Network Custom Resource Definition De-facto Standard" lays it down in section
// 3.
func networkAttachmentDefinition() *extv1.CustomResourceDefinition {
	return &extv1.CustomResourceDefinition{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apiextensions.k8s.io/v1", Kind: "CustomResourceDefinition"},
		ObjectMeta: metav1.ObjectMeta{Name: "network-attachment-definitions.k8s.cni.cncf.io"},
		Spec: extv1.CustomResourceDefinitionSpec{
			Group: "k8s.cni.cncf.io",
			Scope: extv1.NamespaceScoped,
			Names: extv1.CustomResourceDefinitionNames{
				Plural:     "network-attachment-definitions",
				Singular:   "network-attachment-definition",
				Kind:       "NetworkAttachmentDefinition",
				ListKind:   "NetworkAttachmentDefinitionList",
				ShortNames: []string{"net-attach-def"},
			},
			Versions: []extv1.CustomResourceDefinitionVersion{{
				Name: "v1", Served: true, Storage: true,
				Schema: &extv1.CustomResourceValidation{OpenAPIV3Schema: networkAttachmentSchema()},
			}},
		},
	}
}

func networkAttachmentSchema() *extv1.JSONSchemaProps {
	return &extv1.JSONSchemaProps{
		Type:        "object",
		Description: "A network that a Pod can be attached to.",
		Properties: map[string]extv1.JSONSchemaProps{
			"apiVersion": {Type: "string"},
			"kind":       {Type: "string"},
			"metadata":   {Type: "object"},
			"spec": {
				Type: "object",
				Properties: map[string]extv1.JSONSchemaProps{
					"config": {Type: "string", Description: "A CNI network configuration, in JSON."},
				},
			},
		},
	}
}

package standin

import (
	"strings"

	kubevirtv1 "kubevirt.io/api/core/v1"
)

// resource is a kind that a stand-in serves.
type resource struct {
	group, version, plural, kind string
	namespaced                   bool
	// status says that the status is written apart, at the subresource of that name.
	status bool
}

// The kinds that a stand-in acts on.
var (
	namespaces = resource{version: "v1", plural: "namespaces", kind: "Namespace", status: true}
	claims     = resource{version: "v1", plural: "persistentvolumeclaims", kind: "PersistentVolumeClaim",
		namespaced: true}
	machines    = ofKubeVirt("virtualmachines", "VirtualMachine", true)
	instances   = ofKubeVirt("virtualmachineinstances", "VirtualMachineInstance", false)
	dataVolumes = resource{group: "cdi.kubevirt.io", version: "v1beta1", plural: "datavolumes", kind: "DataVolume",
		namespaced: true}
	kubeVirts   = ofKubeVirt("kubevirts", "KubeVirt", false)
	definitions = resource{group: "apiextensions.k8s.io", version: "v1", plural: "customresourcedefinitions",
		kind: "CustomResourceDefinition"}
	storageClasses = resource{group: "storage.k8s.io", version: "v1", plural: "storageclasses", kind: "StorageClass"}
)

// resources are all kinds.
var resources = []resource{
	namespaces, claims, machines, instances, dataVolumes, kubeVirts, definitions, storageClasses,
	{version: "v1", plural: "secrets", kind: "Secret", namespaced: true},
	{group: "k8s.cni.cncf.io", version: "v1", plural: "network-attachment-definitions",
		kind: "NetworkAttachmentDefinition", namespaced: true},
}

// reviews is the kind that is answered and never kept.
var reviews = resource{group: "authorization.k8s.io", version: "v1", plural: "selfsubjectaccessreviews",
	kind: "SelfSubjectAccessReview"}

func ofKubeVirt(plural, kind string, status bool) resource {
	return resource{group: kubevirtv1.GroupVersion.Group, version: kubevirtv1.GroupVersion.Version, plural: plural,
		kind: kind, namespaced: true, status: status}
}

// apiVersion is "v1" or "GROUP/VERSION".
func (r resource) apiVersion() string { return strings.TrimPrefix(r.group+"/"+r.version, "/") }

// root is the path of the group's version: "/api/v1" or "/apis/GROUP/VERSION".
func (r resource) root() string {
	if r.group == "" {
		return "/api/" + r.version
	}
	return "/apis/" + r.group + "/" + r.version
}

// resourceOf finds a kind by the root of its paths and its plural name.
func resourceOf(root, plural string) (r resource, found bool) {
	for _, r := range append(resources, reviews) {
		if r.root() == root && r.plural == plural {
			return r, true
		}
	}
	return resource{}, false
}

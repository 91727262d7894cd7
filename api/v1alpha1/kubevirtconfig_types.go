package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// KubevirtConfig is a remote KubeVirt cluster. Its metadata.name is the name of the cluster
// everywhere.
//
// It is namespaced here. The type serves a cluster-scoped definition as well: metadata.namespace is
// then empty, and spec.secretNamespace says where the Secret is.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=kubevirtconfigs,scope=Namespaced,shortName=kvc
// +kubebuilder:printcolumn:name="Name",type=string,JSONPath=`.spec.name`,priority=1
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Status",type=string,JSONPath=`.status.status`
// +kubebuilder:printcolumn:name="Connected",type=string,JSONPath=`.status.conditions[?(@.type=="Connected")].status`
// +kubebuilder:printcolumn:name="KubeVirt",type=string,JSONPath=`.status.versions.kubevirt`
// +kubebuilder:printcolumn:name="Kubernetes",type=string,JSONPath=`.status.versions.kubernetes`,priority=1
// +kubebuilder:printcolumn:name="Machines",type=integer,JSONPath=`.status.machines`
// +kubebuilder:printcolumn:name="Disconnected",type=date,JSONPath=`.status.disconnectedSince`,priority=1
// +kubebuilder:printcolumn:name="Created",type=string,JSONPath=`.status.created`,priority=1
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type KubevirtConfig struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// spec says how the cluster is reached.
	// +optional
	Spec KubevirtConfigSpec `json:"spec,omitzero"`

	// status is what was last observed of the cluster. Only the operator writes it.
	// +optional
	Status KubevirtConfigStatus `json:"status,omitzero"`
}

// KubevirtConfigSpec says how a remote cluster is reached.
type KubevirtConfigSpec struct {
	// name is informative. The cluster goes by metadata.name.
	// +optional
	Name string `json:"name,omitempty"`

	// kubeconfigSecretRef is the name of the Secret whose key kubeconfig holds the kubeconfig of the
	// cluster.
	// +required
	KubeconfigSecretRef string `json:"kubeconfigSecretRef"`

	// secretNamespace is the namespace of that Secret. Empty means the namespace of the
	// KubevirtConfig.
	// +optional
	SecretNamespace string `json:"secretNamespace,omitempty"`

	// paused stops new placements in the cluster. Machines that are there are looked after as before.
	// +optional
	Paused bool `json:"paused,omitempty"`

	// allowedNamespaces are the namespaces whose Machines may be placed in the cluster. Absent means
	// all namespaces. Machines that are there already are looked after as before.
	// +optional
	AllowedNamespaces *AllowedNamespaces `json:"allowedNamespaces,omitempty"`
}

// KubeconfigSecretKey is the key of the Secret of a KubevirtConfig under which the kubeconfig lies.
const KubeconfigSecretKey = "kubeconfig"

// KubevirtConfigStatus is what was last observed of a remote cluster. It is written when something
// changed, never per probe.
type KubevirtConfigStatus struct {
	// observedGeneration is the metadata.generation that this status describes.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// name of the cluster: metadata.name.
	// +optional
	Name string `json:"name,omitempty"`

	// phase sums the conditions up in one word.
	// +optional
	Phase KubevirtConfigPhase `json:"phase,omitempty"`

	// status is the state of the connection.
	// +optional
	Status ConnectionState `json:"status,omitempty"`

	// message is a sentence for people. It never holds anything from the Secret.
	// +optional
	Message string `json:"message,omitempty"`

	// created is when the KubevirtConfig was created, as text in RFC 3339.
	// +optional
	Created string `json:"created,omitempty"`

	// conditions are the latest observations: Connected, IdentityVerified, RightsSufficient,
	// KubeVirtReady, SchemaCompatible, NoOrphans, NotShared and Releasable.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// clusterUID is the UID of the kube-system namespace of the cluster that this KubevirtConfig
	// stands for. It is kept while the cluster is away; another cluster behind the same Secret is
	// refused.
	// +optional
	ClusterUID string `json:"clusterUID,omitempty"`

	// versions of what runs in the cluster.
	// +optional
	Versions KubevirtConfigVersions `json:"versions,omitzero"`

	// disconnectedSince is when contact was lost. Unset while there is contact.
	// +optional
	DisconnectedSince *metav1.Time `json:"disconnectedSince,omitempty"`

	// machines is the number of Machines that are placed in the cluster. Unset means not counted yet.
	// +optional
	Machines *int32 `json:"machines,omitempty"`
}

// KubevirtConfigVersions are the versions of what runs in a remote cluster. Empty means not known.
type KubevirtConfigVersions struct {
	// kubernetes is the version of the API server, for example v1.37.2.
	// +optional
	Kubernetes string `json:"kubernetes,omitempty"`

	// kubevirt is the version of KubeVirt that was observed, for example v1.8.2.
	// +optional
	KubeVirt string `json:"kubevirt,omitempty"`
}

// KubeconfigSecret returns the namespace and name of the Secret that holds the kubeconfig. Nobody's
// cloud-init data may come from that Secret. name is "" where the KubevirtConfig names none;
// namespace is "" where a cluster-scoped one does not say it.
func (c *KubevirtConfig) KubeconfigSecret() (namespace, name string) {
	if c.Spec.SecretNamespace != "" {
		return c.Spec.SecretNamespace, c.Spec.KubeconfigSecretRef
	}
	return c.Namespace, c.Spec.KubeconfigSecretRef
}

// GetConditions returns the conditions. The slice is shared with the KubevirtConfig.
func (c *KubevirtConfig) GetConditions() []metav1.Condition {
	return c.Status.Conditions
}

// SetConditions replaces all conditions. The slice is shared with the caller afterwards.
func (c *KubevirtConfig) SetConditions(conditions []metav1.Condition) {
	c.Status.Conditions = conditions
}

// KubevirtConfigList is a list of KubevirtConfigs.
//
// +kubebuilder:object:root=true
type KubevirtConfigList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	// items are the KubevirtConfigs.
	Items []KubevirtConfig `json:"items"`
}

package v1alpha1

// MachineCloudInit is what the guest gets at its first boot. For user data and for network data the
// first of inline text, base64 text, Secret and ConfigMap that is set counts.
type MachineCloudInit struct {
	// type of the data source.
	// +optional
	// +kubebuilder:default=noCloud
	Type CloudInitType `json:"type,omitempty"`

	// userData is the user data as text.
	// +optional
	UserData string `json:"userData,omitempty"`

	// userDataBase64 is the user data, base64 encoded.
	// +optional
	UserDataBase64 string `json:"userDataBase64,omitempty"`

	// userDataSecretRef is a Secret with the user data; key defaults to userdata.
	// +optional
	UserDataSecretRef *CloudInitSourceRef `json:"userDataSecretRef,omitempty"`

	// userDataConfigMapRef is a ConfigMap with the user data; key defaults to userdata.
	// +optional
	UserDataConfigMapRef *CloudInitSourceRef `json:"userDataConfigMapRef,omitempty"`

	// networkData is the network data as text.
	// +optional
	NetworkData string `json:"networkData,omitempty"`

	// networkDataBase64 is the network data, base64 encoded.
	// +optional
	NetworkDataBase64 string `json:"networkDataBase64,omitempty"`

	// networkDataSecretRef is a Secret with the network data; key defaults to networkdata.
	// +optional
	NetworkDataSecretRef *CloudInitSourceRef `json:"networkDataSecretRef,omitempty"`

	// networkDataConfigMapRef is a ConfigMap with the network data; key defaults to networkdata.
	// +optional
	NetworkDataConfigMapRef *CloudInitSourceRef `json:"networkDataConfigMapRef,omitempty"`
}

// CloudInitType is a cloud-init data source.
//
// +kubebuilder:validation:Enum=noCloud;configDrive
type CloudInitType string

// The cloud-init data sources, and the keys that are read where a reference names none.
const (
	// CloudInitNoCloud is the NoCloud data source.
	CloudInitNoCloud CloudInitType = "noCloud"
	// CloudInitConfigDrive is the ConfigDrive data source.
	CloudInitConfigDrive CloudInitType = "configDrive"

	// CloudInitUserDataKey is the default key of user data.
	CloudInitUserDataKey = "userdata"
	// CloudInitNetworkDataKey is the default key of network data.
	CloudInitNetworkDataKey = "networkdata"
)

// CloudInitSourceRef names a Secret or ConfigMap in the Machine's namespace of the supervisor
// cluster, and a key in it.
type CloudInitSourceRef struct {
	// name of the Secret or ConfigMap.
	// +required
	Name string `json:"name"`

	// key in it. Empty means the default key of the field that holds this reference.
	// +optional
	Key string `json:"key,omitempty"`
}

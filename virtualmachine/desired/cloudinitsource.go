package desired

import (
	"encoding/base64"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// SourceKind is where a document of cloud-init comes from.
type SourceKind string

// The kinds of sources.
const (
	// SourceNone means that the Machine gives no such document.
	SourceNone SourceKind = ""
	// SourceMachine means that it stands in the Machine itself.
	SourceMachine SourceKind = "Machine"
	// SourceSecret means that it stands in a Secret.
	SourceSecret SourceKind = "Secret"
	// SourceConfigMap means that it stands in a ConfigMap.
	SourceConfigMap SourceKind = "ConfigMap"
)

// Source is a document of cloud-init and where it comes from. Secrets and ConfigMaps are in the
// Machine's namespace of the supervisor; the caller reads them and sets Data.
type Source struct {
	// Kind of the source.
	Kind SourceKind
	// Name of the Secret or ConfigMap, and Key in it.
	Name, Key string
	// Data is the document itself, any bytes: gzip is common. It may be a secret whatever the kind.
	Data []byte
}

// Missing is the error to return where the Secret, the ConfigMap or the key does not exist.
func (s Source) Missing() *Wait {
	return wait(vitistackv1alpha1.ReasonCloudInitSourceMissing, "cloudInit: there is no %s %q with the key %q", s.Kind,
		s.Name, s.Key)
}

// Sources are the two documents of a Machine's cloud-init.
type Sources struct {
	// UserData is what the guest runs.
	UserData Source
	// NetworkData is its network configuration.
	NetworkData Source
}

// CloudInitSources returns where a Machine's cloud-init documents come from: for each the first of
// inline text, base64, Secret and ConfigMap that is set. A [*Refusal] of reason InvalidSpec says
// that what stands for base64 is none.
func CloudInitSources(machine *vitistackv1alpha1.Machine) (Sources, error) {
	init := machine.Spec.CloudInit
	if init == nil {
		return Sources{}, nil
	}
	user, err := sourceSpec{
		field: "userData", text: init.UserData, base64: init.UserDataBase64,
		secret: init.UserDataSecretRef, configMap: init.UserDataConfigMapRef, key: vitistackv1alpha1.CloudInitUserDataKey,
	}.source()
	if err != nil {
		return Sources{}, err
	}
	network, err := sourceSpec{
		field: "networkData", text: init.NetworkData, base64: init.NetworkDataBase64,
		secret: init.NetworkDataSecretRef, configMap: init.NetworkDataConfigMapRef,
		key: vitistackv1alpha1.CloudInitNetworkDataKey,
	}.source()
	if err != nil {
		return Sources{}, err
	}
	return Sources{UserData: user, NetworkData: network}, nil
}

// sourceSpec are the four fields in which a text may be given, and the key that is read where a
// reference names none.
type sourceSpec struct {
	field, text, base64, key string
	secret, configMap        *vitistackv1alpha1.CloudInitSourceRef
}

func (s sourceSpec) source() (Source, error) {
	switch {
	case s.text != "":
		return Source{Kind: SourceMachine, Data: []byte(s.text)}, nil
	case s.base64 != "":
		decoded, err := base64.StdEncoding.DecodeString(s.base64)
		if err != nil {
			return Source{}, invalid("cloudInit.%sBase64 is not base64", s.field)
		}
		return Source{Kind: SourceMachine, Data: decoded}, nil
	case s.secret != nil:
		return Source{Kind: SourceSecret, Name: s.secret.Name, Key: or(s.secret.Key, s.key)}, nil
	case s.configMap != nil:
		return Source{Kind: SourceConfigMap, Name: s.configMap.Name, Key: or(s.configMap.Key, s.key)}, nil
	default:
		return Source{}, nil
	}
}

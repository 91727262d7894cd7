package desired

import (
	"bytes"
	"encoding/base64"
	"unicode/utf8"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

const (
	// cloudInitInlineMax is the largest text, in bytes, that KubeVirt takes in a VirtualMachine
	// itself.
	cloudInitInlineMax = 2048

	// emptyUserData stands for no user data: KubeVirt drops an empty text, and with it the whole
	// disk would be refused.
	emptyUserData = "#cloud-config\n"

	// The keys of a Secret that KubeVirt reads.
	secretUserDataKey    = "userdata"
	secretNetworkDataKey = "networkdata"
)

// CloudInitInput is what the cloud-init disk depends on.
type CloudInitInput struct {
	// Machine that it is for.
	Machine *vitistackv1alpha1.Machine
	// VMName is the name of its VirtualMachine.
	VMName string
	// Sources of [CloudInitSources], with Data set.
	Sources Sources
	// Network is the record of the Machine's attachments, of [Attach]. NetworkNamespaces and
	// NetworkConfigurations of the Machine's namespace give their static addresses, which are
	// written into the network data where the Machine gives none of its own.
	Network           vitistackv1alpha1.NetworkRecord
	NetworkNamespaces []vitistackv1alpha1.NetworkNamespace
	Configurations    []vitistackv1alpha1.NetworkConfiguration
	// Options of the operator.
	Options Options
}

// CloudInit is what the guest gets at its first boot. nil means no cloud-init disk.
type CloudInit struct {
	// Type of the data source.
	Type vitistackv1alpha1.CloudInitType
	// UserData and NetworkData are inline texts, "" where there is none or where the document is
	// elsewhere.
	UserData, NetworkData string
	// UserDataBase64 and NetworkDataBase64 are inline documents that are no UTF-8 text, ""
	// likewise. Put into a text they would lose the bytes that are no character.
	UserDataBase64, NetworkDataBase64 string
	// Secret to create in the remote cluster after the VirtualMachine, which owns it, nil where
	// there is none. It holds documents that came from a Secret and documents of more than 2,048
	// bytes. It lacks the namespace and its owner.
	Secret *corev1.Secret
}

// NewCloudInit returns the cloud-init of a Machine, nil where it wants none: neither cloudInit nor
// SSH keys. Errors are those of [StaticAddresses], a [*Refusal] of reason InvalidSpec where the SSH
// keys cannot be added to the user data, and one of reason UserDataTooLarge where no Secret can
// hold the documents. No error repeats any of a document.
func NewCloudInit(in CloudInitInput) (*CloudInit, error) {
	if !wantsCloudInit(in.Machine) {
		return nil, nil
	}
	if in.Machine.UID == "" {
		return nil, errNoUID
	}
	wanted := or(in.Machine.Spec.CloudInit, &vitistackv1alpha1.MachineCloudInit{})
	result := &CloudInit{Type: or(wanted.Type, vitistackv1alpha1.CloudInitNoCloud)}
	if result.Type != vitistackv1alpha1.CloudInitNoCloud && result.Type != vitistackv1alpha1.CloudInitConfigDrive {
		return nil, invalid("cloudInit.type %q is neither %s nor %s",
			result.Type, vitistackv1alpha1.CloudInitNoCloud, vitistackv1alpha1.CloudInitConfigDrive)
	}
	user, err := in.userData()
	if err != nil {
		return nil, err
	}
	network, err := in.networkData(result.Type)
	if err != nil {
		return nil, err
	}
	secret := map[string][]byte{}
	result.UserData, result.UserDataBase64 = inline(user, secretUserDataKey, secret)
	result.NetworkData, result.NetworkDataBase64 = inline(network, secretNetworkDataKey, secret)
	if err := checkSecret(secret); err != nil {
		return nil, err
	}
	if len(secret) > 0 {
		result.Secret = &corev1.Secret{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
			ObjectMeta: metav1.ObjectMeta{Name: CloudInitSecretName(in.VMName, in.Machine.UID),
				Labels: Labels(in.Machine, in.Options)},
			Type: corev1.SecretTypeOpaque,
			Data: secret,
		}
	}
	return result, nil
}

// checkSecret refuses what the remote API server would refuse, before the VirtualMachine is made
// that would wait for it.
func checkSecret(data map[string][]byte) error {
	total := 0
	for key, value := range data {
		total += len(key) + len(value)
	}
	if total > corev1.MaxSecretSize {
		return refuse(vitistackv1alpha1.ReasonUserDataTooLarge,
			"the cloud-init data has %d bytes, and a Secret holds at most %d: let the guest fetch the rest, or compress it with gzip",
			total, corev1.MaxSecretSize)
	}
	return nil
}

func wantsCloudInit(machine *vitistackv1alpha1.Machine) bool {
	return machine.Spec.CloudInit != nil || len(machine.Spec.SSHKeys) > 0
}

// userData returns what the Machine gives, with its SSH keys.
func (in CloudInitInput) userData() (Source, error) {
	given := in.Sources.UserData
	if len(bytes.TrimSpace(given.Data)) == 0 {
		given = Source{Kind: SourceMachine, Data: []byte(emptyUserData)}
	}
	if len(in.Machine.Spec.SSHKeys) == 0 {
		return given, nil
	}
	var err error
	given.Data, err = addKeys(given.Data, in.Machine.Spec.SSHKeys)
	return given, err
}

func (in CloudInitInput) networkData(cloudInitType vitistackv1alpha1.CloudInitType) (Source, error) {
	given := in.Sources.NetworkData
	if len(bytes.TrimSpace(given.Data)) != 0 {
		return given, nil
	}
	addresses, err := StaticAddresses(in.Machine, in.Network, in.NetworkNamespaces, in.Configurations)
	if err != nil || addresses == nil {
		return Source{}, err
	}
	render := networkDataV2
	if cloudInitType == vitistackv1alpha1.CloudInitConfigDrive {
		render = networkDataOpenStack
	}
	text, err := render(addresses)
	return Source{Kind: SourceMachine, Data: []byte(text)}, err
}

// inline returns a document if it may stand in a VirtualMachine, as text or else in base64. Every
// other document goes into the Secret: people who may read VirtualMachines need not be allowed to
// read Secrets.
func inline(s Source, key string, secret map[string][]byte) (text, encoded string) {
	switch {
	case s.Kind == SourceSecret || len(s.Data) > cloudInitInlineMax:
		secret[key] = bytes.Clone(s.Data)
		return "", ""
	case utf8.Valid(s.Data):
		return string(s.Data), ""
	default:
		return "", base64.StdEncoding.EncodeToString(s.Data)
	}
}

// volume returns the cloud-init disk as a volume of the virtual machine.
func (c *CloudInit) volume() kubevirtv1.Volume {
	volume := kubevirtv1.Volume{Name: cloudInitDiskName}
	source := kubevirtv1.CloudInitNoCloudSource{
		UserData: c.UserData, UserDataBase64: c.UserDataBase64, UserDataSecretRef: c.reference(secretUserDataKey),
		NetworkData: c.NetworkData, NetworkDataBase64: c.NetworkDataBase64,
		NetworkDataSecretRef: c.reference(secretNetworkDataKey),
	}
	if c.Type == vitistackv1alpha1.CloudInitConfigDrive {
		drive := kubevirtv1.CloudInitConfigDriveSource(source)
		volume.CloudInitConfigDrive = &drive
	} else {
		volume.CloudInitNoCloud = &source
	}
	return volume
}

func (c *CloudInit) reference(key string) *corev1.LocalObjectReference {
	if c.Secret == nil {
		return nil
	}
	if _, found := c.Secret.Data[key]; !found {
		return nil
	}
	return &corev1.LocalObjectReference{Name: c.Secret.Name}
}

package desired

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/yaml"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

const (
	// cloudInitInlineMax is the largest text, in bytes, that KubeVirt takes in a VirtualMachine itself.
	cloudInitInlineMax = 2048

	// emptyUserData stands for no user data: KubeVirt drops an empty text, and with it the whole disk would be refused.
	emptyUserData = "#cloud-config\n"

	// keysField is where a cloud-config has SSH keys.
	keysField = "ssh_authorized_keys"

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
	// Sources of [CloudInitSources], with Text set.
	Sources Sources
	// Attachments of the Machine, and its NetworkConfiguration: static addresses are written into the network data where the Machine gives
	// none of its own.
	Attachments          []Attachment
	NetworkConfiguration *vitistackv1alpha1.NetworkConfiguration
	// Options of the operator.
	Options Options
}

// CloudInit is what the guest gets at its first boot. nil means no cloud-init disk.
type CloudInit struct {
	// Type of the data source.
	Type vitistackv1alpha1.CloudInitType
	// Inline texts, "" where there is none or where it is in Secret.
	UserData, NetworkData string
	// Secret to create in the remote cluster after the VirtualMachine, which owns it, nil where there is none: for texts that came from a
	// Secret and for texts of more than 2,048 bytes. It lacks the namespace and its owner.
	Secret *corev1.Secret
}

// NewCloudInit is the cloud-init of a Machine, nil where it wants none: neither cloudInit nor SSH keys. It returns what [StaticAddresses]
// returns where addresses are missing, and a [*Refusal] of reason InvalidSpec where the SSH keys cannot be added to the user data.
func NewCloudInit(in CloudInitInput) (*CloudInit, error) {
	if !wantsCloudInit(in.Machine) {
		return nil, nil
	}
	wanted := or(in.Machine.Spec.CloudInit, &vitistackv1alpha1.MachineCloudInit{})
	if in.Machine.UID == "" {
		return nil, errNoUID
	}
	result := &CloudInit{Type: or(wanted.Type, vitistackv1alpha1.CloudInitNoCloud)}
	if result.Type != vitistackv1alpha1.CloudInitNoCloud && result.Type != vitistackv1alpha1.CloudInitConfigDrive {
		return nil, invalid("cloudInit.type %q is neither %s nor %s", result.Type, vitistackv1alpha1.CloudInitNoCloud, vitistackv1alpha1.CloudInitConfigDrive)
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
	result.UserData = inline(user, secretUserDataKey, secret)
	result.NetworkData = inline(network, secretNetworkDataKey, secret)
	if len(secret) > 0 {
		result.Secret = &corev1.Secret{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
			ObjectMeta: metav1.ObjectMeta{Name: CloudInitSecretName(in.VMName, in.Machine.UID), Labels: Labels(in.Machine, in.Options)},
			Type:       corev1.SecretTypeOpaque,
			Data:       secret,
		}
	}
	return result, nil
}

func wantsCloudInit(machine *vitistackv1alpha1.Machine) bool {
	return machine.Spec.CloudInit != nil || len(machine.Spec.SSHKeys) > 0
}

// userData is what the Machine gives, and its SSH keys. They are added at the end of a cloud-config, whose text stays as it is; to a script,
// or beside keys that stand there already, nothing can be added.
func (in CloudInitInput) userData() (Source, error) {
	given := in.Sources.UserData
	if strings.TrimSpace(given.Text) == "" {
		given = Source{Kind: SourceMachine, Text: emptyUserData}
	}
	if len(in.Machine.Spec.SSHKeys) == 0 {
		return given, nil
	}
	var config map[string]any
	if err := yaml.Unmarshal([]byte(given.Text), &config); err != nil || !strings.HasPrefix(given.Text, "#cloud-config") {
		return Source{}, invalid("sshKeys can be added to user data that is a #cloud-config, and this is none")
	}
	if _, taken := config[keysField]; taken {
		return Source{}, invalid("sshKeys is set, and the user data has %s of its own: set one of them", keysField)
	}
	keys, err := yaml.Marshal(map[string][]string{keysField: in.Machine.Spec.SSHKeys})
	if err != nil {
		return Source{}, fmt.Errorf("rendering ssh keys: %w", err)
	}
	given.Text = strings.TrimSuffix(given.Text, "\n") + "\n" + string(keys)
	return given, nil
}

func (in CloudInitInput) networkData(cloudInitType vitistackv1alpha1.CloudInitType) (Source, error) {
	given := in.Sources.NetworkData
	if strings.TrimSpace(given.Text) != "" {
		return given, nil
	}
	addresses, err := StaticAddresses(in.Machine, in.Attachments, in.NetworkConfiguration, in.Options)
	if err != nil || addresses == nil {
		return Source{}, err
	}
	render := networkDataV2
	if cloudInitType == vitistackv1alpha1.CloudInitConfigDrive {
		render = networkDataOpenStack
	}
	text, err := render(addresses)
	return Source{Kind: SourceMachine, Text: text}, err
}

// inline returns the text if it may stand in a VirtualMachine, and else puts it into the Secret: whoever may read VirtualMachines need
// not be one who may read Secrets.
func inline(s Source, key string, secret map[string][]byte) string {
	if s.Kind != SourceSecret && len(s.Text) <= cloudInitInlineMax {
		return s.Text
	}
	secret[key] = []byte(s.Text)
	return ""
}

// volume is the cloud-init disk as a volume of the virtual machine.
func (c *CloudInit) volume() kubevirtv1.Volume {
	volume := kubevirtv1.Volume{Name: cloudInitDiskName}
	source := kubevirtv1.CloudInitNoCloudSource{
		UserData: c.UserData, UserDataSecretRef: c.reference(secretUserDataKey),
		NetworkData: c.NetworkData, NetworkDataSecretRef: c.reference(secretNetworkDataKey),
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

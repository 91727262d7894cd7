package desired

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/yaml"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/operator/api/v1alpha1"
)

const (
	// cloudInitInlineMax is the largest text, in bytes, that KubeVirt takes in a VirtualMachine itself.
	cloudInitInlineMax = 2048

	// emptyUserData stands for no user data: KubeVirt drops an empty text, and with it the whole disk would be refused.
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
	// Sources of [CloudInitSources], with Text set.
	Sources Sources
	// Network of the Machine, and its NetworkConfiguration: static addresses are written into the network data where the Machine gives
	// none of its own.
	Network              Network
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
	// Secret to create in the remote cluster before the VirtualMachine, nil where there is none: for texts that came from a Secret and
	// for texts of more than 2,048 bytes. It lacks only the namespace.
	Secret *corev1.Secret
}

// NewCloudInit is the cloud-init of a Machine, nil where it wants none. Without user data of its own the guest gets the Machine's SSH
// keys. It returns what [StaticAddresses] returns where addresses are missing.
func NewCloudInit(in CloudInitInput) (*CloudInit, error) {
	wanted := in.Machine.Spec.CloudInit
	if wanted == nil {
		return nil, nil
	}
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

func (in CloudInitInput) userData() (Source, error) {
	given := in.Sources.UserData
	if strings.TrimSpace(given.Text) != "" {
		return given, nil
	}
	if len(in.Machine.Spec.SSHKeys) == 0 {
		return Source{Kind: SourceMachine, Text: emptyUserData}, nil
	}
	keys, err := yaml.Marshal(map[string][]string{"ssh_authorized_keys": in.Machine.Spec.SSHKeys})
	if err != nil {
		return Source{}, fmt.Errorf("rendering ssh keys: %w", err)
	}
	return Source{Kind: SourceMachine, Text: emptyUserData + string(keys)}, nil
}

func (in CloudInitInput) networkData(cloudInitType vitistackv1alpha1.CloudInitType) (Source, error) {
	given := in.Sources.NetworkData
	if strings.TrimSpace(given.Text) != "" {
		return given, nil
	}
	if !in.Network.Static {
		return Source{}, nil
	}
	addresses, err := StaticAddresses(in.Network, in.NetworkConfiguration)
	if err != nil {
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
	user, network := c.reference(secretUserDataKey), c.reference(secretNetworkDataKey)
	volume := kubevirtv1.Volume{Name: cloudInitDiskName}
	if c.Type == vitistackv1alpha1.CloudInitConfigDrive {
		volume.CloudInitConfigDrive = &kubevirtv1.CloudInitConfigDriveSource{
			UserData: c.UserData, UserDataSecretRef: user, NetworkData: c.NetworkData, NetworkDataSecretRef: network,
		}
		return volume
	}
	volume.CloudInitNoCloud = &kubevirtv1.CloudInitNoCloudSource{
		UserData: c.UserData, UserDataSecretRef: user, NetworkData: c.NetworkData, NetworkDataSecretRef: network,
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

package desired_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"
	"sigs.k8s.io/yaml"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

func TestCloudInitSources(t *testing.T) {
	ref := func(name string) *vitistackv1alpha1.CloudInitSourceRef {
		return &vitistackv1alpha1.CloudInitSourceRef{Name: name}
	}
	all := vitistackv1alpha1.MachineCloudInit{
		UserData: "inline", UserDataBase64: "YmFzZTY0", UserDataSecretRef: ref("s"), UserDataConfigMapRef: ref("c"),
		NetworkData: "inline", NetworkDataBase64: "YmFzZTY0", NetworkDataSecretRef: ref("s"),
		NetworkDataConfigMapRef: ref("c"),
	}
	cases := map[string]struct {
		reason        string
		change        func(*vitistackv1alpha1.MachineCloudInit)
		user, network desired.Source
	}{
		"Inline": {
			reason: "inline text comes first", change: func(*vitistackv1alpha1.MachineCloudInit) {},
			user:    desired.Source{Kind: desired.SourceMachine, Data: []byte("inline")},
			network: desired.Source{Kind: desired.SourceMachine, Data: []byte("inline")},
		},
		"Base64": {
			reason: "then base64", change: func(i *vitistackv1alpha1.MachineCloudInit) { i.UserData, i.NetworkData = "", "" },
			user:    desired.Source{Kind: desired.SourceMachine, Data: []byte("base64")},
			network: desired.Source{Kind: desired.SourceMachine, Data: []byte("base64")},
		},
		"Secret": {
			reason: "then a Secret, with the default key of its field",
			change: func(i *vitistackv1alpha1.MachineCloudInit) {
				i.UserData, i.NetworkData, i.UserDataBase64, i.NetworkDataBase64 = "", "", "", ""
			},
			user:    desired.Source{Kind: desired.SourceSecret, Name: "s", Key: "userdata"},
			network: desired.Source{Kind: desired.SourceSecret, Name: "s", Key: "networkdata"},
		},
		"ConfigMap": {
			reason: "then a ConfigMap, with the key that it names",
			change: func(i *vitistackv1alpha1.MachineCloudInit) {
				key := vitistackv1alpha1.CloudInitSourceRef{Name: "c", Key: "k"}
				*i = vitistackv1alpha1.MachineCloudInit{UserDataConfigMapRef: &key, NetworkDataConfigMapRef: &key}
			},
			user:    desired.Source{Kind: desired.SourceConfigMap, Name: "c", Key: "k"},
			network: desired.Source{Kind: desired.SourceConfigMap, Name: "c", Key: "k"},
		},
		"Nothing": {
			reason: "nothing is a source too", change: func(i *vitistackv1alpha1.MachineCloudInit) {
				*i = vitistackv1alpha1.MachineCloudInit{}
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			init := *all.DeepCopy()
			tc.change(&init)
			got, err := desired.CloudInitSources(machine("m", withCloudInit(init)))
			if err != nil {
				t.Fatalf("\n%s\nCloudInitSources(...): %v", tc.reason, err)
			}
			if diff := cmp.Diff(desired.Sources{UserData: tc.user, NetworkData: tc.network}, got); diff != "" {
				t.Errorf("\n%s\nCloudInitSources(...): -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestSourceMissing(t *testing.T) {
	err := desired.Source{Kind: desired.SourceSecret, Name: "s", Key: "k", Data: []byte("hidden")}.Missing()
	if diff := cmp.Diff(`cloudInit: there is no Secret "s" with the key "k"`, err.Error()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff("wait/CloudInitSourceMissing", reasonOf(err)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestInlineLimit: 2,048 bytes are inline, one more is not, and no text is lost on the way.
func TestInlineLimit(t *testing.T) {
	for size, inline := range map[int]bool{2048: true, 2049: false, 100_000: false} {
		text := strings.Repeat("x", size)
		source := desired.Source{Kind: desired.SourceMachine, Data: []byte(text)}
		got, err := desired.NewCloudInit(desired.CloudInitInput{
			Machine: machine("m", withCloudInit(vitistackv1alpha1.MachineCloudInit{})), VMName: "vm-m",
			Sources: desired.Sources{UserData: source},
		})
		if err != nil {
			t.Fatal(err)
		}
		if (got.UserData == text) != inline || (got.Secret == nil) != inline {
			t.Errorf("%d bytes: want inline %t, got inline %t, Secret %t", size, inline, got.UserData == text, got.Secret != nil)
		}
		if got.Secret != nil && string(got.Secret.Data["userdata"]) != text {
			t.Errorf("%d bytes: the Secret has %d", size, len(got.Secret.Data["userdata"]))
		}
	}
}

// TestEmptyUserData: an empty text was dropped, and the disk with it (T15).
func TestEmptyUserData(t *testing.T) {
	got, err := desired.NewCloudInit(desired.CloudInitInput{
		Machine: machine("m", withCloudInit(vitistackv1alpha1.MachineCloudInit{})), VMName: "vm-m",
		Sources: desired.Sources{UserData: desired.Source{Kind: desired.SourceSecret, Name: "s", Data: []byte(" \n")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := &desired.CloudInit{Type: vitistackv1alpha1.CloudInitNoCloud, UserData: "#cloud-config\n"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestNetworkDataMAC: a MAC address of digits alone reads as one number, base 60, unless it is
// quoted.
func TestNetworkDataMAC(t *testing.T) {
	const mac = "02:12:34:56:11:10"
	nc := vitistackv1alpha1.NetworkConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "m"}}
	nc.Status.NetworkInterfaces = []vitistackv1alpha1.NetworkConfigurationInterface{{Name: "vlan10",
		IPv4Addresses: []string{"10.0.1.9"}}}
	got, err := desired.NewCloudInit(desired.CloudInitInput{
		Machine: machine("m", withCloudInit(vitistackv1alpha1.MachineCloudInit{})), VMName: "vm-m",
		Network: vitistackv1alpha1.NetworkRecord{Attachments: []vitistackv1alpha1.Attachment{
			{Interface: "vlan10", NetworkNamespace: "team-a", VLAN: 10, MAC: mac, NetworkConfiguration: "m"},
		}},
		NetworkNamespaces: []vitistackv1alpha1.NetworkNamespace{staticNetwork(10)},
		Configurations:    []vitistackv1alpha1.NetworkConfiguration{nc},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(got.NetworkData, `macaddress: "`+mac+`"`) {
		t.Errorf("the address is not quoted in:\n%s", got.NetworkData)
	}
	var read struct {
		Ethernets map[string]struct {
			Addresses []string `json:"addresses"`
			Routes    []map[string]string
		} `json:"ethernets"`
	}
	if err := yaml.Unmarshal([]byte(got.NetworkData), &read); err != nil {
		t.Fatal(err)
	}
	vlan := read.Ethernets["vlan10"]
	if diff := cmp.Diff([]string{"10.0.1.9/24"}, vlan.Addresses); diff != "" {
		t.Errorf("\nthe range's prefix length\n-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]map[string]string{{"to": "0.0.0.0/0", "via": "10.0.1.1"}}, vlan.Routes); diff != "" {
		t.Errorf("\nthe range's gateway\n-want +got:\n%s", diff)
	}
}

// TestSSHKeys adds keys to user data in every form. What cloud-init could not read again is
// refused: a guest without keys is one that no one can log in to.
func TestSSHKeys(t *testing.T) {
	cases := map[string]struct {
		reason, userData, want, wantErr string
	}{
		"Text": {
			reason: "keys follow a mapping, whose text and comments stay", userData: "#cloud-config\n# ours\nhostname: web",
			want: "#cloud-config\n# ours\nhostname: web\nssh_authorized_keys:\n- ssh-ed25519 A\n",
		},
		"JSON": {
			reason:   "keys become a member of a mapping that is written as JSON",
			userData: "#cloud-config\n{\"packages\": [\"nginx\"]}\n",
			want:     "#cloud-config\n{\"packages\":[\"nginx\"],\"ssh_authorized_keys\":[\"ssh-ed25519 A\"]}\n",
		},
		"Empty": {reason: "a cloud-config without content takes keys", userData: "#cloud-config\n",
			want: "#cloud-config\nssh_authorized_keys:\n- ssh-ed25519 A\n"},
		"Indented": {reason: "a root that is indented ends before the keys", userData: "#cloud-config\n  packages: [nginx]\n",
			wantErr: "refusal/InvalidSpec"},
		"Ended": {reason: "keys behind the end of a document are not read",
			userData: "#cloud-config\npackages: [nginx]\n...\n", wantErr: "refusal/InvalidSpec"},
		"Second": {
			reason: "keys in a second document are not read", userData: "#cloud-config\npackages: [nginx]\n---\nhostname: a\n",
			wantErr: "refusal/InvalidSpec",
		},
		"Flow": {reason: "a mapping in flow style that is no JSON cannot be added to",
			userData: "#cloud-config\n{packages: [nginx]}\n", wantErr: "refusal/InvalidSpec"},
		"Archive": {
			reason: "an archive is a list and has no keys", userData: "#cloud-config-archive\n- type: a\n",
			wantErr: "refusal/InvalidSpec",
		},
		"Gzip": {reason: "compressed data cannot be added to", userData: "\x1f\x8b\x08\x00", wantErr: "refusal/InvalidSpec"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := machine("m", func(m *vitistackv1alpha1.Machine) { m.Spec.SSHKeys = []string{"ssh-ed25519 A"} })
			got, err := desired.NewCloudInit(desired.CloudInitInput{
				Machine: m, VMName: "vm-m",
				Sources: desired.Sources{UserData: desired.Source{Kind: desired.SourceMachine, Data: []byte(tc.userData)}},
			})
			if diff := cmp.Diff(tc.wantErr, reasonOf(err)); diff != "" {
				t.Fatalf("\n%s\nNewCloudInit(...): -want error +got:\n%s", tc.reason, diff)
			}
			if err == nil {
				if diff := cmp.Diff(tc.want, got.UserData); diff != "" {
					t.Errorf("\n%s\nNewCloudInit(...): -want +got:\n%s", tc.reason, diff)
				}
			}
		})
	}
}

// TestCloudInitBytes is the property that each byte of a document arrives, wherever the document
// stands.
func TestCloudInitBytes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		user := append([]byte("x"), rapid.SliceOfN(rapid.Byte(), 0, 3000).Draw(t, "user")...)
		network := append([]byte("x"), rapid.SliceOfN(rapid.Byte(), 0, 100).Draw(t, "network")...)
		kind := rapid.SampledFrom([]desired.SourceKind{desired.SourceMachine, desired.SourceSecret,
			desired.SourceConfigMap}).Draw(t, "kind")
		got, err := desired.NewCloudInit(desired.CloudInitInput{
			Machine: machine("m", withCloudInit(vitistackv1alpha1.MachineCloudInit{})), VMName: "vm-m",
			Sources: desired.Sources{UserData: desired.Source{Kind: kind, Data: user},
				NetworkData: desired.Source{Kind: kind, Data: network}},
		})
		if err != nil {
			t.Fatal(err)
		}
		arrived := func(text, encoded, key string) []byte {
			switch {
			case text != "":
				rendered, err := json.Marshal(text) // as it goes to the API server
				if err != nil {
					t.Fatal(err)
				}
				if err := json.Unmarshal(rendered, &text); err != nil {
					t.Fatal(err)
				}
				return []byte(text)
			case encoded != "":
				decoded, err := base64.StdEncoding.DecodeString(encoded)
				if err != nil {
					t.Fatal(err)
				}
				return decoded
			default:
				return got.Secret.Data[key]
			}
		}
		if diff := cmp.Diff(user, arrived(got.UserData, got.UserDataBase64, "userdata")); diff != "" {
			t.Errorf("user data: -want +got:\n%s", diff)
		}
		if diff := cmp.Diff(network, arrived(got.NetworkData, got.NetworkDataBase64, "networkdata")); diff != "" {
			t.Errorf("network data: -want +got:\n%s", diff)
		}
	})
}

// TestUserDataTooLarge: a Secret that cannot be made is refused before the virtual machine is made
// that would wait for it.
func TestUserDataTooLarge(t *testing.T) {
	for size, want := range map[int]string{1<<20 - 8: "", 1<<20 - 7: "refusal/UserDataTooLarge",
		3 << 20: "refusal/UserDataTooLarge"} {
		_, err := desired.NewCloudInit(desired.CloudInitInput{
			Machine: machine("m", withCloudInit(vitistackv1alpha1.MachineCloudInit{})), VMName: "vm-m",
			Sources: desired.Sources{UserData: desired.Source{Kind: desired.SourceSecret,
				Data: bytes.Repeat([]byte("x"), size)}},
		})
		if diff := cmp.Diff(want, reasonOf(err)); diff != "" {
			t.Errorf("%d bytes: -want error +got:\n%s", size, diff)
		}
	}
}

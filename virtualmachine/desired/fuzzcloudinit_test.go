package desired_test

import (
	"bytes"
	"encoding/base64"
	"net"
	"net/netip"
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/yaml"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// inlineMax is the largest document, in bytes, that KubeVirt takes in a VirtualMachine itself.
const inlineMax = 2048

// received is what a guest is given as one document: the text, the bytes behind base64, or those of
// the Secret.
func received(
	t *testing.T, init *desired.CloudInit, text, encoded, key string, ref *corev1.LocalObjectReference,
) []byte {
	t.Helper()
	var given [][]byte
	if text != "" {
		given = append(given, []byte(text))
	}
	if encoded != "" {
		decoded, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil {
			t.Errorf("no base64: %v", err)
		}
		given = append(given, decoded)
	}
	if ref != nil {
		if init.Secret == nil || ref.Name != init.Secret.Name || len(init.Secret.Data[key]) == 0 {
			t.Fatalf("the Secret %q has no %s", ref.Name, key)
		}
		given = append(given, init.Secret.Data[key])
	}
	if len(given) > 1 || len(text) > inlineMax {
		t.Errorf("%s is given %d times, %d bytes of it inline", key, len(given), len(text))
	}
	return bytes.Join(given, nil)
}

// cloudInitVolume is the cloud-init volume of the VirtualMachine that is made of a cloud-init. A
// Secret is read by the keys that KubeVirt reads.
func cloudInitVolume(
	t *testing.T, m *vitistackv1alpha1.Machine, init *desired.CloudInit,
) kubevirtv1.CloudInitNoCloudSource {
	t.Helper()
	vm, err := desired.VirtualMachine(desired.Input{
		Machine: m, CloudInit: init, Options: options(),
		Ledger: vitistackv1alpha1.Ledger{Namespace: "team-a", VMName: "vm-m", Nonce: nonce},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, volume := range vm.Spec.Template.Spec.Volumes {
		if volume.CloudInitNoCloud != nil {
			return *volume.CloudInitNoCloud
		}
		if volume.CloudInitConfigDrive != nil {
			return kubevirtv1.CloudInitNoCloudSource(*volume.CloudInitConfigDrive)
		}
	}
	t.Fatal("there is no cloud-init volume")
	return kubevirtv1.CloudInitNoCloudSource{}
}

// FuzzCloudInit hands a person's documents over to a guest: they arrive byte for byte, whatever they
// are, those of a Secret in a Secret. Where keys are added, the cloud-config reads as before, and
// has the keys.
func FuzzCloudInit(f *testing.F) {
	for _, document := range []string{
		"", " \n", "#cloud-config\nhostname: web\n", "#cloud-config\n{\"a\": 1}", "#cloud-config\n---\na: 1\n...\n", "\x1f\x8b\x08\x00\xff",
		"#!/bin/sh\necho a\n", "#cloud-config\nssh_authorized_keys: []\n", "#cloud-config\nkeys: |\n  a", "#cloud-config\r\na: é\r\n",
		"#cloud-config\n" + strings.Repeat("#", inlineMax), "#cloud-config\n&a [*a]\n", "#cloud-config\na: 1 # end", "#cloud-config\n'",
	} {
		for kind := range uint8(4) {
			f.Add([]byte(document), []byte("version: 2\n"), kind, "")
			f.Add([]byte(document), []byte(document), kind, "ssh-ed25519 AAAA admin@example.com")
		}
	}
	f.Fuzz(func(t *testing.T, user, network []byte, kind uint8, keys string) {
		m := machine("m", withCloudInit(vitistackv1alpha1.MachineCloudInit{}))
		if kind&2 != 0 {
			m.Spec.CloudInit.Type = vitistackv1alpha1.CloudInitConfigDrive
		}
		if keys != "" {
			m.Spec.SSHKeys = strings.Split(keys, "\n")
		}
		from := map[bool]desired.SourceKind{true: desired.SourceSecret, false: desired.SourceMachine}[kind&1 != 0]
		in := desired.CloudInitInput{Machine: m, VMName: "vm-m", Options: options(), Sources: desired.Sources{
			UserData: desired.Source{Kind: from, Data: user}, NetworkData: desired.Source{Kind: from, Data: network},
		}}
		userBefore, networkBefore := bytes.Clone(user), bytes.Clone(network)
		init, err := desired.NewCloudInit(in)
		if !bytes.Equal(user, userBefore) || !bytes.Equal(network, networkBefore) {
			t.Error("a document was changed in place")
		}
		if err != nil {
			if checkError(t, err); keys == "" && len(user)+len(network) < corev1.MaxSecretSize-100 {
				t.Errorf("refused: %v", err)
			}
			return
		}
		volume := cloudInitVolume(t, m, init)
		gotUser := received(t, init, volume.UserData, volume.UserDataBase64, "userdata", volume.UserDataSecretRef)
		gotNetwork := received(t, init, volume.NetworkData, volume.NetworkDataBase64, "networkdata", volume.NetworkDataSecretRef)
		if want := orEmpty(network, nil); !bytes.Equal(gotNetwork, want) {
			t.Errorf("the network data %q arrives as %q", want, gotNetwork)
		}
		if from == desired.SourceSecret && len(bytes.TrimSpace(user)) > 0 && volume.UserDataSecretRef == nil {
			t.Error("what came out of a Secret stands in the VirtualMachine")
		}
		want := orEmpty(user, []byte("#cloud-config\n"))
		if keys == "" && !bytes.Equal(gotUser, want) {
			t.Errorf("the user data %q arrives as %q", want, gotUser)
		}
		if keys != "" {
			checkKeys(t, want, gotUser, m.Spec.SSHKeys)
		}
	})
}

// orEmpty is a document, or what stands for one in which there is nothing.
func orEmpty(document, empty []byte) []byte {
	if len(bytes.TrimSpace(document)) == 0 {
		return empty
	}
	return document
}

// checkKeys: a cloud-config that keys were added to has them, and everything that it had.
func checkKeys(t *testing.T, before, after []byte, keys []string) {
	t.Helper()
	var had, has map[string]any
	if err := yaml.Unmarshal(before, &had); err != nil {
		t.Fatalf("keys were added to what is no YAML: %v", err)
	}
	if err := yaml.Unmarshal(after, &has); err != nil {
		t.Fatalf("it is no YAML any more: %v", err)
	}
	got, _ := has["ssh_authorized_keys"].([]any)
	if len(got) != len(keys) {
		t.Fatalf("%d keys of %d: %q", len(got), len(keys), after)
	}
	for i := range keys {
		if got[i] != keys[i] {
			t.Errorf("the key %q arrives as %q", keys[i], got[i])
		}
	}
	if delete(has, "ssh_authorized_keys"); len(has)+len(had) > 0 && !reflect.DeepEqual(had, has) {
		t.Errorf("%v became %v", had, has)
	}
}

// FuzzCloudInitSources reads where documents come from: what stands in a Machine itself is taken as
// it is, in the order text, base64, Secret, ConfigMap.
func FuzzCloudInitSources(f *testing.F) {
	f.Add("#cloud-config\n", "", "")
	f.Add("", "H4sIAAAAAAAAA1NOzskvTdFNzs9Ly0znysgvLslLzE21UihPTeICAMMK++wcAAAA", "secret")
	f.Add("", "no base64", "")
	f.Add("", "", "secret")
	f.Fuzz(func(t *testing.T, text, encoded, secret string) {
		m := machine("m", withCloudInit(vitistackv1alpha1.MachineCloudInit{UserData: text, UserDataBase64: encoded}))
		if secret != "" {
			m.Spec.CloudInit.UserDataSecretRef = &vitistackv1alpha1.CloudInitSourceRef{Name: secret}
		}
		sources, err := desired.CloudInitSources(m)
		decoded, none := base64.StdEncoding.DecodeString(encoded)
		want := desired.Source{}
		switch {
		case text != "":
			want = desired.Source{Kind: desired.SourceMachine, Data: []byte(text)}
		case encoded != "":
			if (none != nil) != (err != nil) {
				t.Errorf("%q: %v, and base64 says %v", encoded, err, none)
			}
			want = desired.Source{Kind: desired.SourceMachine, Data: decoded}
		case secret != "":
			want = desired.Source{Kind: desired.SourceSecret, Name: secret, Key: "userdata"}
		}
		if err != nil {
			if checkError(t, err); strings.Contains(err.Error(), encoded) && len(encoded) > 20 {
				t.Error("an error repeats a document")
			}
			return
		}
		if !reflect.DeepEqual(sources.UserData, want) {
			t.Errorf("%+v instead of %+v", sources.UserData, want)
		}
	})
}

// networkData is what both forms of network data say of one interface.
type networkData struct {
	Version   int
	Ethernets map[string]struct {
		Match       struct{ MACAddress string }
		DHCP4       bool
		Addresses   []string
		Routes      []struct{ To, Via string }
		Nameservers struct{ Addresses []string }
	}
	Networks []struct {
		IPAddress string `json:"ip_address"`
		Netmask   string `json:"netmask"`
		Routes    []struct{ Gateway string }
	}
	Services []struct{ Address string }
}

// FuzzNetworkData gives a guest the addresses that other operators wrote: what a guest reads are
// exactly these addresses, with their prefixes, and no text of theirs becomes anything else.
func FuzzNetworkData(f *testing.F) {
	for _, drive := range []bool{false, true} {
		f.Add("10.0.1.21", "2001:db8:1::21", "10.0.1.0/24", "2001:db8:1::/64", "10.0.1.1", "2001:db8:1::1", "10.0.1.2", drive)
		f.Add("10.0.1.21/25", "", "", "", "", "", "", drive)
		f.Add("10.0.1.21\nroutes: []", "::ffff:10.0.0.1", "10.0.1.0/24", "::/0", "fe80::1%eth0", "", "2001:db8::2%0", drive)
		f.Add("010.0.1.21", "2001:db8:1::21", "10.0.1.0/33", "2001:db8:1::/129", "10.0.1.1", "10.0.1.1", "dns", drive)
	}
	f.Fuzz(func(t *testing.T, v4, v6, subnet4, subnet6, gateway4, gateway6, dns string, drive bool) {
		m := machine("m", withCloudInit(vitistackv1alpha1.MachineCloudInit{}))
		if drive {
			m.Spec.CloudInit.Type = vitistackv1alpha1.CloudInitConfigDrive
		}
		given := vitistackv1alpha1.NetworkConfigurationInterface{Name: "vlan10", IPv4Subnet: subnet4, IPv6Subnet: subnet6,
			IPv4Gateway: gateway4, IPv6Gateway: gateway6, IPv4Addresses: some(v4), IPv6Addresses: some(v6), DNS: some(dns)}
		s := scenario{machine: m, vmPrefix: "vm-", options: options(),
			networks: []vitistackv1alpha1.NetworkNamespace{staticNetwork(10)},
			given:    []vitistackv1alpha1.NetworkConfigurationInterface{given}}
		all, err := s.make()
		if err != nil {
			checkError(t, err)
			return
		}
		mac := all.NetworkRecord.Attachments[0].MAC
		source := kubevirtv1.CloudInitNoCloudSource{}
		for _, volume := range all.VirtualMachine.(*kubevirtv1.VirtualMachine).Spec.Template.Spec.Volumes {
			if volume.CloudInitNoCloud != nil {
				source = *volume.CloudInitNoCloud
			} else if volume.CloudInitConfigDrive != nil {
				source = kubevirtv1.CloudInitNoCloudSource(*volume.CloudInitConfigDrive)
			}
		}
		var data networkData
		if err := yaml.Unmarshal([]byte(source.NetworkData), &data); err != nil {
			t.Fatalf("%v: %s", err, source.NetworkData)
		}
		if drive {
			checkDrive(t, data, given)
		} else {
			checkNoCloud(t, data, given, mac)
		}
	})
}

func some(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

// prefixOf is an address with the length of its own, else with that of its subnet.
func prefixOf(t *testing.T, address, subnet string) string {
	t.Helper()
	if prefix, err := netip.ParsePrefix(address); err == nil {
		return prefix.String()
	}
	addr, err := netip.ParseAddr(address)
	network, none := netip.ParsePrefix(subnet)
	if err != nil || none != nil {
		t.Fatalf("%q in %q is no address, and was taken for one", address, subnet)
	}
	return netip.PrefixFrom(addr, network.Bits()).String()
}

// wantedPrefixes are those of an interface, where its NetworkNamespace says what it leaves open.
func wantedPrefixes(t *testing.T, given vitistackv1alpha1.NetworkConfigurationInterface) (want []string) {
	t.Helper()
	for _, address := range given.IPv4Addresses {
		subnet := given.IPv4Subnet
		if subnet == "" {
			subnet = "10.0.1.0/24"
		}
		want = append(want, prefixOf(t, address, subnet))
	}
	for _, address := range given.IPv6Addresses {
		want = append(want, prefixOf(t, address, given.IPv6Subnet))
	}
	return want
}

func checkNoCloud(t *testing.T, data networkData, given vitistackv1alpha1.NetworkConfigurationInterface, mac string) {
	t.Helper()
	nic, found := data.Ethernets["vlan10"]
	if !found || len(data.Ethernets) != 1 || nic.Match.MACAddress != mac || data.Version != 2 || nic.DHCP4 {
		t.Fatalf("not the one interface: %+v", data)
	}
	if want := wantedPrefixes(t, given); !reflect.DeepEqual(want, nic.Addresses) {
		t.Errorf("%v became %v", want, nic.Addresses)
	}
	for _, route := range nic.Routes {
		to, err := netip.ParsePrefix(route.To)
		via, none := netip.ParseAddr(route.Via)
		if err != nil || none != nil || to.Addr().Is4() != via.Is4() || to.Bits() != 0 {
			t.Errorf("a route to %q via %q", route.To, route.Via)
		}
	}
	for _, server := range nic.Nameservers.Addresses {
		if _, err := netip.ParseAddr(server); err != nil {
			t.Errorf("a name server %q", server)
		}
	}
}

func checkDrive(t *testing.T, data networkData, given vitistackv1alpha1.NetworkConfigurationInterface) {
	t.Helper()
	var got []string
	for _, network := range data.Networks {
		addr, err := netip.ParseAddr(network.IPAddress)
		if err != nil {
			t.Fatalf("%q is no address", network.IPAddress)
		}
		mask := net.ParseIP(network.Netmask)
		if addr.Is4() {
			mask = mask.To4()
		}
		ones, bits := net.IPMask(mask).Size()
		if bits != addr.BitLen() {
			t.Errorf("%q is no mask of %s", network.Netmask, addr)
		}
		got = append(got, netip.PrefixFrom(addr, ones).String())
		for _, route := range network.Routes {
			if via, err := netip.ParseAddr(route.Gateway); err != nil || via.Is4() != addr.Is4() {
				t.Errorf("%q is the gateway of %s", route.Gateway, addr)
			}
		}
	}
	if want := wantedPrefixes(t, given); !reflect.DeepEqual(want, got) {
		t.Errorf("%v became %v", want, got)
	}
	for _, service := range data.Services {
		if _, err := netip.ParseAddr(service.Address); err != nil {
			t.Errorf("a name server %q", service.Address)
		}
	}
}

package lifelong

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// newNetwork makes a NetworkNamespace whose operator has given it a VLAN.
func newNetwork(t *testing.T, namespace, name string, vlan int) *vitistackv1alpha1.NetworkNamespace {
	t.Helper()
	createYAML(t, world.supervisor, fmt.Sprintf(`apiVersion: vitistack.io/v1alpha1
kind: NetworkNamespace
metadata: {name: %s, namespace: %s}
spec: {datacenterIdentifier: no-west-az1, supervisorIdentifier: supervisor-1, ipAllocation: {type: dhcp, provider: kea}}`, name, namespace))
	network := &vitistackv1alpha1.NetworkNamespace{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	renumber(t, network, vlan)
	return network
}

// renumber does what the operator of networks does when a VLAN is given or changes.
func renumber(t *testing.T, network *vitistackv1alpha1.NetworkNamespace, vlan int) {
	t.Helper()
	patch := client.RawPatch("application/merge-patch+json",
		fmt.Appendf(nil, `{"status":{"phase":"Ready","vlanId":%d}}`, vlan))
	if err := world.supervisor.Status().Patch(t.Context(), network, patch); err != nil {
		t.Fatal(err)
	}
}

// networks are what the template and the running instance are connected to, as text.
func (l *life) networks() string {
	l.t.Helper()
	text := ""
	if vm := l.vm(); vm != nil {
		text = fmt.Sprint("template: ", names(vm.Spec.Template.Spec.Networks))
	}
	vmi := &kubevirtv1.VirtualMachineInstance{}
	if l.exists(vmi, l.key.Name) {
		text += fmt.Sprint(" instance: ", names(vmi.Spec.Networks))
	}
	return text
}

func names(networks []kubevirtv1.Network) []string {
	var all []string
	for _, n := range networks {
		name := n.Name
		if n.Multus != nil {
			name += "=" + n.Multus.NetworkName
		}
		all = append(all, name)
	}
	return all
}

// addressWishes are the interfaces for which the namespace's NetworkConfigurations ask an address.
func (l *life) addressWishes() []string {
	l.t.Helper()
	list := &vitistackv1alpha1.NetworkConfigurationList{}
	if err := world.supervisor.List(l.t.Context(), list, client.InNamespace(l.key.Namespace)); err != nil {
		l.t.Fatal(err)
	}
	var all []string
	for _, item := range list.Items {
		for _, i := range item.Spec.NetworkInterfaces {
			all = append(all, item.Name+"/"+i.Name+"/"+i.MacAddress)
		}
	}
	slices.Sort(all)
	return all
}

// untilRunning waits until the guest of the present generation runs, whatever its addresses.
func (l *life) untilRunning() {
	l.t.Helper()
	l.until("the guest runs", func(m *vitistackv1alpha1.Machine) error {
		c := m.Status.Condition(vitistackv1alpha1.ConditionVirtualMachineReady)
		if c == nil || c.Status != metav1.ConditionTrue || c.ObservedGeneration != m.Generation {
			return errors.New("not yet")
		}
		if m.Status.Phase != vitistackv1alpha1.MachinePhaseRunning ||
			!l.exists(&kubevirtv1.VirtualMachineInstance{}, l.key.Name) {
			return errors.New("there is no instance")
		}
		return nil
	})
}

// halt stops the guest by the Machine and waits until it is off; resume starts it.
func (l *life) halt() {
	l.t.Helper()
	l.edit(func(m *vitistackv1alpha1.Machine) { m.Spec.RunStrategy = vitistackv1alpha1.RunStrategyHalted })
	l.until("the guest is off", func(m *vitistackv1alpha1.Machine) error {
		if m.Status.Phase != vitistackv1alpha1.MachinePhaseStopped ||
			l.exists(&kubevirtv1.VirtualMachineInstance{}, l.key.Name) {
			return errors.New("it is on")
		}
		return nil
	})
}

func (l *life) resume() {
	l.t.Helper()
	l.edit(func(m *vitistackv1alpha1.Machine) { m.Spec.RunStrategy = vitistackv1alpha1.RunStrategyAlways })
	l.untilRunning()
}

// TestNetworkAppears: a NetworkNamespace that is created or renumbered beside a Machine that runs
// changes neither its guest nor what is asked for it, and holds up none of the Machine's own
// changes.
func TestNetworkAppears(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		change func(*vitistackv1alpha1.Machine)
	}{
		"network-appears-image": {
			reason: "a second network used to be hot-plugged into a guest that booted from an image",
			change: func(m *vitistackv1alpha1.Machine) {
				m.Annotations[vitistackv1alpha1.AnnotationBootSource] = "datavolume"
				m.Spec.OS.ImageID = "https://images.example.com/ubuntu.img"
			},
		},
		"network-appears": {
			reason: "a second network used to get the boot order of the first, and the refusal held up every other change",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := begin(t, east, name, tc.change)
			l.untilReady()
			networks, wishes := l.networks(), l.addressWishes()
			lan := newNetwork(t, name, "lan", 30)
			l.halt()
			l.resume()
			renumber(t, lan, 31)
			l.edit(func(m *vitistackv1alpha1.Machine) { m.Spec.Memory = 1536 << 20 })
			l.untilMemory("1536Mi")
			l.untilReady()
			if diff := cmp.Diff(networks, l.networks()); diff != "" {
				t.Errorf("%s: networks -want +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(wishes, l.addressWishes()); diff != "" {
				t.Errorf("%s: addresses asked for -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestNetworkRenumbered: a guest stays on the VLAN that was recorded, and the Machine says where
// record and NetworkNamespace differ.
func TestNetworkRenumbered(t *testing.T) {
	t.Parallel()
	const name = "network-renumbered"
	newNamespace(t, name)
	lan := newNetwork(t, name, "lan", 40)
	l := beginIn(t, east, name, name, nil)
	l.untilRunning()
	networks := l.networks()
	renumber(t, lan, 41)
	l.untilCondition(vitistackv1alpha1.ConditionNetworkReady, "False/"+vitistackv1alpha1.ReasonNetworkChanged, "41")
	l.halt()
	l.resume()
	if diff := cmp.Diff(networks, l.networks()); diff != "" {
		t.Errorf("networks -want +got:\n%s", diff)
	}
}

// TestInterfaceIsAdded: what a new interface refers to is there before the VirtualMachine refers to
// it, so that the guest comes back after its next stop.
func TestInterfaceIsAdded(t *testing.T) {
	t.Parallel()
	const name = "interface-added"
	newNamespace(t, name)
	newNetwork(t, name, "main", 50)
	newNetwork(t, name, "storage", 51)
	l := beginIn(t, east, name, name, func(m *vitistackv1alpha1.Machine) { m.Spec.Network.NetworkNamespaceName = "main" })
	l.untilRunning()
	l.edit(func(m *vitistackv1alpha1.Machine) {
		m.Spec.Network.Interfaces = []vitistackv1alpha1.NetworkInterface{{Name: "main"}, {Name: "storage", Subnet: "storage"}}
	})
	l.until("the interface is in the template", func(*vitistackv1alpha1.Machine) error {
		if vm := l.vm(); len(vm.Spec.Template.Spec.Networks) != 2 {
			return fmt.Errorf("networks: %s", l.networks())
		}
		return nil
	})
	if got := l.attachments(); !slices.Contains(got, "vlan51") {
		t.Errorf("the NetworkAttachmentDefinitions are %q, want vlan51 among them", got)
	}
	l.halt()
	l.resume()
}

// TestUntaggedNetwork: a static network that names no VLAN is untagged. Nobody will ever give it a
// VLAN, so nobody waits for one.
func TestUntaggedNetwork(t *testing.T) {
	t.Parallel()
	const name = "untagged"
	newNamespace(t, name)
	createYAML(t, world.supervisor, `apiVersion: vitistack.io/v1alpha1
kind: NetworkNamespace
metadata: {name: untagged, namespace: untagged}
spec:
  datacenterIdentifier: dc1
  supervisorIdentifier: sup1
  ipAllocation:
    type: static
    provider: static-ip-operator
    static: {ipv4CIDR: 192.168.0.0/23, ipv4Gateway: 192.168.0.1, ipv4RangeStart: 192.168.1.240, ipv4RangeEnd: 192.168.1.254}`)
	l := beginIn(t, east, name, name, func(m *vitistackv1alpha1.Machine) { m.Spec.Network.NetworkNamespaceName = name })
	eventually.Eventually(t, patience, "an address is asked for", func(context.Context) error {
		if wishes := l.addressWishes(); len(wishes) != 1 {
			return fmt.Errorf("the wishes are %q; %s", wishes, conditions(l.read()))
		}
		return nil
	})
	giveAddress(t, name, "192.168.1.240")
	l.untilRunning()
	if diff := cmp.Diff([]string{"vlan0"}, l.attachments()); diff != "" {
		t.Errorf("NetworkAttachmentDefinitions -want +got:\n%s", diff)
	}
}

// giveAddress does what an address operator does for the one interface of a namespace's
// NetworkConfiguration.
func giveAddress(t *testing.T, namespace, address string) {
	t.Helper()
	list := &vitistackv1alpha1.NetworkConfigurationList{}
	if err := world.supervisor.List(t.Context(), list, client.InNamespace(namespace)); err != nil {
		t.Fatal(err)
	}
	for i := range list.Items {
		item := &list.Items[i]
		wish := item.Spec.NetworkInterfaces[0]
		patch := client.RawPatch("application/merge-patch+json", fmt.Appendf(nil,
			`{"status":{"phase":"Ready","networkInterfaces":[{"name":%q,"macAddress":%q,"ipv4Addresses":[%q],"ipAllocated":true}]}}`,
			wish.Name, wish.MacAddress, address))
		if err := world.supervisor.Status().Patch(t.Context(), item, patch); err != nil {
			t.Fatal(err)
		}
	}
}

// TestNetworkKindIsMissing: a remote cluster without Multus is an answer, not silence. The Machine
// names the kind that is missing, and its cluster counts as reachable.
func TestNetworkKindIsMissing(t *testing.T) {
	t.Parallel()
	const name = "kind-missing"
	definition := &unstructured.Unstructured{}
	definition.SetGroupVersionKind(apiextensionsv1.SchemeGroupVersion.WithKind("CustomResourceDefinition"))
	definition.SetName("network-attachment-definitions.k8s.cni.cncf.io")
	if err := world.remote[west].Delete(t.Context(), definition); err != nil {
		t.Fatal(err)
	}
	eventually.Eventually(t, patience, "the definition is gone", func(ctx context.Context) error {
		err := world.remote[west].Get(ctx, client.ObjectKeyFromObject(definition), definition)
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("it is there (%w)", err)
	})
	newNamespace(t, name)
	newNetwork(t, name, "lan", 20)
	l := beginIn(t, west, name, name, nil)
	l.untilCondition(vitistackv1alpha1.ConditionNetworkReady, "False/"+vitistackv1alpha1.ReasonNetworkKindMissing,
		"NetworkAttachmentDefinition")
	if c := l.read().Status.Condition(vitistackv1alpha1.ConditionRemoteReachable); c == nil ||
		c.Status != metav1.ConditionTrue {
		t.Errorf("RemoteReachable is %+v, want True: the cluster answered", c)
	}
}

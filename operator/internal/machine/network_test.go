package machine_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

func vlan(id int) *vitistackv1alpha1.NetworkNamespace {
	nn := &vitistackv1alpha1.NetworkNamespace{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "vlan"}}
	nn.Status.Phase, nn.Status.VlanID = "Ready", id
	return nn
}

// TestAttachmentsStay: a NetworkAttachmentDefinition that an administrator made is neither changed
// nor deleted. Upstream deleted it, and before the virtual machine was gone (D5).
func TestAttachmentsStay(t *testing.T) {
	w := newWorld(t, []string{east}, newMachine(in(east)), vlan(30))
	theirs := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{"config": "theirs"}}}
	theirs.SetGroupVersionKind(desired.NetworkAttachmentDefinitionKind)
	theirs.SetNamespace(namespace)
	theirs.SetName("vlan30")
	w.put(east, theirs.DeepCopy())
	w.mustSettle()
	if networks := w.vms()[east+"/vm-web"].Spec.Template.Spec.Networks; len(networks) != 1 || networks[0].Multus == nil ||
		networks[0].Multus.NetworkName != "vlan30" {
		t.Fatalf("the VirtualMachine is attached to %v", networks)
	}
	w.deleteMachine()
	w.mustSettle()
	if got := theirs.DeepCopy(); !w.exists(east, got) || got.Object["spec"].(map[string]any)["config"] != "theirs" {
		t.Errorf("it was deleted or changed: %v", got.Object)
	}
}

// TestSeveralStaticNetworks: each network has a NetworkConfiguration of its own, in which its
// operator gives addresses; the VirtualMachine waits for all of them, and they go with it. Before,
// a second static network was refused.
func TestSeveralStaticNetworks(t *testing.T) {
	networks := []string{"vlan", "storage"}
	m := newMachine(in(east), func(m *vitistackv1alpha1.Machine) {
		m.Spec.Network.Interfaces = []vitistackv1alpha1.NetworkInterface{{Subnet: networks[0]}, {Subnet: networks[1]}}
		m.Spec.CloudInit = &vitistackv1alpha1.MachineCloudInit{}
	})
	w := newWorld(t, []string{east}, m)
	for i, name := range networks {
		nn := vlan(30 + i)
		nn.Name = name
		nn.Spec.IPAllocation = &vitistackv1alpha1.NetworkNamespaceIPAllocation{Type: "static",
			Static: &vitistackv1alpha1.StaticIPAllocationConfig{
				IPv4CIDR: fmt.Sprintf("10.0.%d.0/24", i), IPv4Gateway: fmt.Sprintf("10.0.%d.1", i),
			}}
		w.put(supervisor, nn)
	}
	configurations := func() []vitistackv1alpha1.NetworkConfiguration {
		list := &vitistackv1alpha1.NetworkConfigurationList{}
		if err := w.clients[supervisor].List(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		return list.Items
	}
	w.mustSettle()
	all := configurations()
	if len(all) != 2 {
		t.Fatalf("there are %d NetworkConfigurations, not one for each network", len(all))
	}
	for i := range all {
		if got := w.condition("NetworkReady"); got != "False/WaitingForAddresses" || w.where() != "" {
			t.Errorf("with %d of 2 addresses NetworkReady is %s, and VirtualMachines are %q", i, got, w.where())
		}
		nc := &all[i]
		nc.Status.NetworkInterfaces = slices.Clone(nc.Spec.NetworkInterfaces)
		nc.Status.NetworkInterfaces[0].IPv4Addresses = []string{fmt.Sprintf("10.0.%d.9",
			slices.Index(networks, nc.Spec.NetworkNamespaceName))}
		if err := w.clients[supervisor].Status().Update(t.Context(), nc); err != nil {
			t.Fatal(err)
		}
		w.mustSettle()
	}
	data := w.vms()[east+"/vm-web"].Spec.Template.Spec.Volumes[1].CloudInitNoCloud.NetworkData
	for text, times := range map[string]int{"10.0.0.9/24": 1, "10.0.1.9/24": 1, "via: 10.0.0.1": 1, "via:": 1} {
		if got := strings.Count(data, text); got != times {
			t.Errorf("the network data has %q %d times, not %d:\n%s", text, got, times, data)
		}
	}
	others := &vitistackv1alpha1.NetworkConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "other"}}
	w.put(supervisor, others)
	w.deleteMachine()
	w.mustSettle()
	if left := configurations(); len(left) != 1 || left[0].Name != "other" {
		t.Errorf("after the Machine there are %d NetworkConfigurations, and not just that of another", len(left))
	}
}

// TestLostRaces: what somebody else made meanwhile is there; upstream took that for a failure (T14,
// D27).
func TestLostRaces(t *testing.T) {
	attachments := schema.GroupResource{Group: "k8s.cni.cncf.io", Resource: "network-attachment-definitions"}
	for name, c := range map[string]struct {
		at  call
		err error
	}{
		"Namespace": {call{east, "create", "Namespace"},
			apierrors.NewAlreadyExists(corev1.Resource("namespaces"), namespace)},
		"Attachment": {call{east, "create", desired.NetworkAttachmentDefinitionKind.Kind},
			apierrors.NewAlreadyExists(attachments, "vlan30")},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, []string{east}, newMachine(in(east)), vlan(30))
			w.remove(east, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
			w.before = fail(c.at, c.err)
			if _, err := w.reconcile(); err != nil {
				t.Fatal(err)
			}
			if w.where() == "" || w.machine().Status.FailureMessage != "" {
				t.Errorf("the VirtualMachine is in %q: %s", w.where(), w.machine().Status.FailureMessage)
			}
		})
	}
	t.Run("NetworkConfiguration", func(t *testing.T) {
		w := newWorld(t, []string{east}, newMachine(in(east)))
		mine := &vitistackv1alpha1.NetworkConfiguration{ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: webKey.Name, Labels: desired.Labels(newMachine(), worldSettings().Desired),
		}}
		once := false
		w.before = func(c call) error {
			if c == (call{supervisor, "create", "NetworkConfiguration"}) && !once {
				once = true
				w.put(supervisor, mine)
			}
			return nil
		}
		w.mustSettle()
		if w.where() == "" || w.condition("NetworkReady") != "False/WaitingForAddresses" {
			t.Errorf("the VirtualMachine is in %q, NetworkReady is %s", w.where(), w.condition("NetworkReady"))
		}
	})
}

// TestSourcesAreReadLive: there is no right to list ConfigMaps, and a cache without it never syncs:
// upstream's only worker waited for ever (D13).
func TestSourcesAreReadLive(t *testing.T) {
	w := newWorld(t, []string{east}, newMachine(in(east), func(m *vitistackv1alpha1.Machine) {
		m.Spec.CloudInit = &vitistackv1alpha1.MachineCloudInit{
			UserDataConfigMapRef: &vitistackv1alpha1.CloudInitSourceRef{Name: "init"},
		}
	}))
	source := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "init"},
		Data: map[string]string{"userdata": "#cloud-config\n"}}
	live := w.newCluster("live", newMachine(), source)
	w.mustSettle(machine.WithLiveReader(live))
	if w.where() == "" {
		t.Errorf("nothing was made: %s", w.machine().Status.Message)
	}
}

// TestNothingIsListed: a Machine costs no list of what is not its own; upstream listed all pods and
// all events of its namespace (D21).
func TestNothingIsListed(t *testing.T) {
	w := newWorld(t, []string{east}, newMachine(in(east)))
	w.mustSettle()
	w.run(east)
	w.forget()
	if _, err := w.reconcile(); err != nil {
		t.Fatal(err)
	}
	lists := w.called(func(c call) bool { return c.verb == "list" })
	lists = slices.DeleteFunc(lists, func(s string) bool { return strings.Contains(s, "MachineClass") })
	if len(lists) > 0 {
		t.Errorf("a Machine at rest lists %v", lists)
	}
}

// TestStaticNetworkThatNobodyAskedYet: the operator of static addresses writes a NetworkNamespace's
// VLAN into its status only once somebody asks for an address, and a virtual machine waits for that
// VLAN. Without the question both would wait for ever.
func TestStaticNetworkThatNobodyAskedYet(t *testing.T) {
	network := &vitistackv1alpha1.NetworkNamespace{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "lan"}}
	network.Spec.IPAllocation = &vitistackv1alpha1.NetworkNamespaceIPAllocation{
		Type:   vitistackv1alpha1.IPAllocationTypeStatic,
		Static: &vitistackv1alpha1.StaticIPAllocationConfig{IPv4CIDR: "10.0.0.0/24", IPv4Gateway: "10.0.0.1", VlanID: 30},
	}
	w := newWorld(t, []string{east}, newMachine(in(east)), network)
	w.mustSettle()
	asked := &vitistackv1alpha1.NetworkConfiguration{}
	if err := w.clients[supervisor].Get(t.Context(), webKey, asked); err != nil {
		t.Fatalf("nobody asks for an address: %v", err)
	}
	if got := w.condition("NetworkReady"); w.where() != "" || got != "False/NetworkNamespaceNotReady" {
		t.Errorf("before the VLAN is in the status: NetworkReady is %s, virtual machines %q", got, w.where())
	}
	edit(w, supervisor, client.ObjectKeyFromObject(network), &vitistackv1alpha1.NetworkNamespace{},
		func(nn *vitistackv1alpha1.NetworkNamespace) {
			nn.Status.VlanID, nn.Status.Phase = 30, "Ready"
		})
	w.mustSettle()
	vm, found := w.vms()[east+"/vm-web"]
	if !found {
		t.Fatalf("with the VLAN in the status nothing is made: %s", w.machine().Status.Message)
	}
	nic := vm.Spec.Template.Spec.Domain.Devices.Interfaces[0]
	if nic.Name != "vlan30" || nic.MacAddress != asked.Spec.NetworkInterfaces[0].MacAddress {
		t.Errorf("the virtual machine has %s with %s, and %+v was asked for", nic.Name, nic.MacAddress,
			asked.Spec.NetworkInterfaces)
	}
}

package machine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// definition is the NetworkAttachmentDefinition of a name, to look for it.
func definition(name string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(desired.NetworkAttachmentDefinitionKind)
	object.SetNamespace(namespace)
	object.SetName(name)
	return object
}

// vlanNamed is a NetworkNamespace of another name than vlan.
func vlanNamed(name string, id int) *vitistackv1alpha1.NetworkNamespace {
	nn := vlan(id)
	nn.Name = name
	return nn
}

// attachments are the networks of the Machine's VirtualMachine, as name@definition.
func (w *world) attachments() (all []string) {
	w.t.Helper()
	for _, n := range w.vms()[east+"/vm-web"].Spec.Template.Spec.Networks {
		on := "pod"
		if n.Multus != nil {
			on = n.Multus.NetworkName
		}
		all = append(all, n.Name+"@"+on)
	}
	return all
}

func (w *world) editNetwork(change func(*vitistackv1alpha1.NetworkNamespace)) {
	w.t.Helper()
	edit(w, supervisor, types.NamespacedName{Namespace: namespace, Name: "vlan"}, &vitistackv1alpha1.NetworkNamespace{},
		change)
}

// TestNetworksOfAPlacedMachineStay: what happens to NetworkNamespaces changes no virtual machine
// that exists, and is told where it matters.
func TestNetworksOfAPlacedMachineStay(t *testing.T) {
	setVLAN := func(id int) func(*vitistackv1alpha1.NetworkNamespace) {
		return func(n *vitistackv1alpha1.NetworkNamespace) { n.Status.VlanID = id }
	}
	cases := map[string]struct {
		reason string
		none   bool // without a NetworkNamespace in the beginning
		event  func(*world)
		ready  string // NetworkReady; "" for one that is True
	}{
		"FirstOneAppears": {
			reason: "virtual machines on the pod network get no interface because a NetworkNamespace appears", none: true,
			event: func(w *world) { w.put(supervisor, vlan(30)) },
		},
		"SecondOneAppears": {
			reason: "which of two NetworkNamespaces is meant is a question for new Machines alone",
			event:  func(w *world) { w.put(supervisor, vlanNamed("second", 31)) },
		},
		"DeletedAndMadeAgain": {
			reason: "GitOps deletes a NetworkNamespace and makes it again, and no interface comes or goes",
			event: func(w *world) {
				w.remove(supervisor, vlan(30))
				w.mustSettle()
				w.put(supervisor, vlan(30))
			},
			ready: "False/NetworkChanged",
		},
		"NoVLANForAMoment": {
			reason: "a NetworkNamespace that reports no VLAN for a moment leaves no pod interface behind",
			event: func(w *world) {
				w.editNetwork(setVLAN(0))
				w.mustSettle()
				w.editNetwork(setVLAN(30))
			},
		},
		"Renumbered": {
			reason: "another VLAN of the NetworkNamespace is told and not followed",
			event:  func(w *world) { w.editNetwork(setVLAN(31)) }, ready: "False/NetworkChanged",
		},
		"Deleted": {
			reason: "a NetworkNamespace that is gone is told",
			event:  func(w *world) { w.remove(supervisor, vlan(30)) }, ready: "False/NetworkChanged",
		},
		"NotReadyAnyMore": {reason: "the phase of a NetworkNamespace concerns new Machines alone", event: func(w *world) {
			w.editNetwork(func(n *vitistackv1alpha1.NetworkNamespace) { n.Status.Phase = "Failed" })
		}},
		"AllocatedElsewhere": {
			reason: "an address that a NetworkNamespace gave to another Machine is none of this one's business",
			event: func(w *world) {
				w.editNetwork(func(n *vitistackv1alpha1.NetworkNamespace) {
					n.Status.IPAllocationStatus = &vitistackv1alpha1.NetworkNamespaceIPAllocationStatus{
						AllocatedIPs: []vitistackv1alpha1.AllocatedIPEntry{{IP: "10.0.0.7", NetworkConfiguration: "other"}},
					}
				})
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, []string{east}, newMachine(in(east)))
			if !tc.none {
				w.put(supervisor, vlan(30))
			}
			w.mustSettle()
			w.run(east)
			w.mustSettle()
			before, vm := w.attachments(), w.vms()[east+"/vm-web"].ResourceVersion
			tc.event(w)
			w.mustSettle()
			if diff := cmp.Diff(before, w.attachments()); diff != "" || w.vms()[east+"/vm-web"].ResourceVersion != vm {
				t.Errorf("%s: the virtual machine was changed (-want +got):\n%s", tc.reason, diff)
			}
			if got := w.condition("NetworkReady"); tc.ready != "" && got != tc.ready {
				t.Errorf("%s: NetworkReady is %s, not %s", tc.reason, got, tc.ready)
			}
			if got := w.condition("NetworkReady"); tc.ready == "" && strings.Contains(got, "NetworkChanged") {
				t.Errorf("%s: NetworkReady is %s: %s", tc.reason, got, w.says("NetworkReady"))
			}
			w.editMachine(sized("large"))
			w.mustSettle()
			if cores := w.vms()[east+"/vm-web"].Spec.Template.Spec.Domain.CPU.Cores; cores != 4 {
				t.Errorf("%s: a change of the Machine is held up, it has %d cores", tc.reason, cores)
			}
		})
	}
}

// TestAddedInterface: what the virtual machine refers to is made before it refers to it, at a
// change as at creation.
func TestAddedInterface(t *testing.T) {
	w := newWorld(t, []string{east}, newMachine(in(east), func(m *vitistackv1alpha1.Machine) {
		m.Spec.Network.NetworkNamespaceName = "vlan"
	}), vlan(30), vlanNamed("storage", 31))
	w.mustSettle()
	w.run(east)
	w.mustSettle()
	refused := true
	w.before = func(c call) error {
		if refused && c == (call{east, "create", "NetworkAttachmentDefinition"}) {
			return forbidden("network-attachment-definitions")
		}
		return nil
	}
	w.editMachine(func(m *vitistackv1alpha1.Machine) {
		m.Generation++
		m.Spec.Network.Interfaces = []vitistackv1alpha1.NetworkInterface{{Subnet: "vlan"}, {Subnet: "storage"}}
	})
	w.runFor(time.Minute)
	if got := w.attachments(); len(got) != 1 || w.condition("Ready") == "True/Ready" {
		t.Errorf("the virtual machine refers to a definition that could not be made: %v, Ready is %s", got,
			w.condition("Ready"))
	}
	refused = false
	w.mustSettle()
	if got := w.attachments(); len(got) != 2 || !w.exists(east, definition("vlan31")) {
		t.Errorf("the virtual machine has %v, its new definition is there: %t", got, w.exists(east, definition("vlan31")))
	}
}

// TestNetworkGoesBetweenDecisionAndCreation: the decision is the record's. That the
// NetworkNamespace goes before the virtual machine is made changes nothing of it, and is told.
func TestNetworkGoesBetweenDecisionAndCreation(t *testing.T) {
	w := newWorld(t, []string{east}, newMachine(in(east)), vlan(30))
	w.before = func(c call) error {
		if c == (call{supervisor, "create", "NetworkConfiguration"}) && w.exists(supervisor, vlan(30)) {
			w.remove(supervisor, vlan(30))
		}
		return nil
	}
	w.mustSettle()
	if diff := cmp.Diff([]string{"vlan30@vlan30"}, w.attachments()); diff != "" || !w.exists(east, definition("vlan30")) {
		t.Errorf("what was recorded was not made (-want +got):\n%s", diff)
	}
	if got := w.condition("NetworkReady"); got != "False/NetworkChanged" {
		t.Errorf("nobody says that the NetworkNamespace is gone: %s", got)
	}
}

// TestMovedPrimary: a Machine that calls another of its interfaces primary gets no interface and no
// NetworkConfiguration for it.
func TestMovedPrimary(t *testing.T) {
	w := newWorld(t, []string{east}, newMachine(in(east), func(m *vitistackv1alpha1.Machine) {
		m.Spec.Network.Interfaces = []vitistackv1alpha1.NetworkInterface{{Name: "eth0", Subnet: "vlan"},
			{Name: "eth1", Subnet: "b"}}
	}), vlan(30), vlanNamed("b", 31))
	w.mustSettle()
	configurations := func() map[string]int {
		list, found := &vitistackv1alpha1.NetworkConfigurationList{}, map[string]int{}
		if err := w.clients[supervisor].List(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		for _, nc := range list.Items {
			found[nc.Name] = len(nc.Spec.NetworkInterfaces)
		}
		return found
	}
	nics, ncs := w.attachments(), configurations()
	w.editMachine(func(m *vitistackv1alpha1.Machine) { m.Generation++; m.Spec.Network.Interfaces[1].Primary = true })
	w.mustSettle()
	if diff := cmp.Diff(nics, w.attachments()); diff != "" || len(nics) != 2 {
		t.Errorf("the interfaces (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(ncs, configurations()); diff != "" || len(ncs) != 2 {
		t.Errorf("the NetworkConfigurations (-want +got):\n%s", diff)
	}
}

// TestVLANIsTheStatus: who may write NetworkNamespaces does not choose a VLAN of others.
func TestVLANIsTheStatus(t *testing.T) {
	nn := vlan(30)
	nn.Spec.IPAllocation = &vitistackv1alpha1.NetworkNamespaceIPAllocation{Type: "static",
		Static: &vitistackv1alpha1.StaticIPAllocationConfig{
			IPv4CIDR: "10.0.0.0/24", IPv4Gateway: "10.0.0.1", VlanID: 66,
		}}
	w := newWorld(t, []string{east}, newMachine(in(east)), nn)
	w.mustSettle()
	if w.exists(east, definition("vlan66")) {
		t.Error("a wish in the tenant's namespace became a VLAN")
	}
	if got := w.attachments(); len(got) > 0 && got[0] != "vlan30@vlan30" {
		t.Errorf("the virtual machine is attached to %v", got)
	}
}

// TestAddressesOutliveNothing: a NetworkConfiguration that somebody deletes while the virtual
// machine runs stays, and with it its addresses, however long the cluster is away.
func TestAddressesStayWhileTheVMRuns(t *testing.T) {
	configuration := func() *vitistackv1alpha1.NetworkConfiguration {
		return &vitistackv1alpha1.NetworkConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "web"}}
	}
	cases := map[string]struct {
		reason string
		end    func(*world)
	}{
		"MachineFirst": {reason: "a foreground deletion takes what the Machine owns at once", end: func(w *world) {
			w.deleteMachine()
			nc := configuration()
			w.exists(supervisor, nc)
			w.remove(supervisor, nc)
		}},
		"AddressesFirst": {reason: "the end of a namespace takes objects in any order", end: func(w *world) {
			nc := configuration()
			w.exists(supervisor, nc)
			w.remove(supervisor, nc)
			w.mustSettle()
			w.deleteMachine()
		}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := runs(t)
			w.silence(east)
			tc.end(w)
			w.mustSettle()
			if !w.networkConfiguration() || w.machine() == nil {
				t.Fatalf("%s: the addresses are free while the virtual machine runs", tc.reason)
			}
			w.wake(east)
			w.mustSettle()
			if w.networkConfiguration() || w.machine() != nil || w.where() != "" {
				t.Errorf("%s: in the end there is left: Machine %t, addresses %t, %q", tc.reason, w.machine() != nil,
					w.networkConfiguration(), w.where())
			}
		})
	}
}

// TestNoMultus: a kind that a cluster does not serve is an answer, and not silence.
func TestNoMultus(t *testing.T) {
	w := newWorld(t, []string{east}, newMachine(in(east)), vlan(30))
	w.before = fail(call{east, "get", "NetworkAttachmentDefinition"}, noKind("network-attachment-definitions"))
	w.mustSettle()
	if got := w.condition("NetworkReady"); got != "False/NetworkKindMissing" || w.where() != "" {
		t.Errorf("NetworkReady is %s, virtual machines in %q", got, w.where())
	}
	if got := w.condition("Ready"); got != "False/NetworkKindMissing" {
		t.Errorf("a cluster that answers is not taken for a silent one: Ready is %s", got)
	}
	if got := w.condition("RemoteReachable"); !strings.HasPrefix(got, "True/") {
		t.Errorf("a cluster that answers is reachable: %s", got)
	}
}

// TestNetworkEvents: operators of addresses write into a NetworkNamespace at each allocation. That
// wakes no Machine.
func TestNetworkEvents(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(*vitistackv1alpha1.NetworkNamespace)
		wakes  bool
	}{
		"Allocation": {reason: "an allocation changes no attachment", change: func(n *vitistackv1alpha1.NetworkNamespace) {
			n.Status.IPAllocationStatus = &vitistackv1alpha1.NetworkNamespaceIPAllocationStatus{AllocatedIPs: make(
				[]vitistackv1alpha1.AllocatedIPEntry, 2000)}
		}},
		"Label": {
			reason: "a label changes no attachment",
			change: func(n *vitistackv1alpha1.NetworkNamespace) { n.Labels = map[string]string{"a": "b"} },
		},
		"VLAN": {
			reason: "another VLAN is told to who is attached",
			change: func(n *vitistackv1alpha1.NetworkNamespace) { n.Status.VlanID = 31 }, wakes: true,
		},
		"Phase": {
			reason: "who waits for a network to be ready is woken",
			change: func(n *vitistackv1alpha1.NetworkNamespace) { n.Status.Phase = "Pending" }, wakes: true,
		},
		"Spec": {
			reason: "another spec may be another network",
			change: func(n *vitistackv1alpha1.NetworkNamespace) { n.Generation++ }, wakes: true,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			before, after := vlan(30), vlan(30)
			tc.change(after)
			if got := machine.NetworkChanged.Update(event.UpdateEvent{ObjectOld: before, ObjectNew: after}); got != tc.wakes {
				t.Errorf("%s: it wakes is %t", tc.reason, got)
			}
		})
	}
}

// TestStopOfAnAdoptedVM: a virtual machine that is started and stopped by spec.running is stopped
// by it, because KubeVirt refuses both fields.
func TestStopOfAnAdoptedVM(t *testing.T) {
	w := newWorld(t, []string{east},
		newMachine(in(east), annotated(vitistackv1alpha1.AnnotationAdopt, east+"/"+string(foundUID))))
	w.put(east, foundVM(func(vm *kubevirtv1.VirtualMachine) { vm.Spec.Running = new(true) }))
	w.mustSettle(chain())
	w.editMachine(func(m *vitistackv1alpha1.Machine) { m.Generation++; m.Spec.RunStrategy = "Halted" })
	w.mustSettle(chain())
	vm := w.vms()[east+"/vm-web"]
	if vm.Spec.Running == nil || *vm.Spec.Running || vm.Spec.RunStrategy != nil {
		t.Errorf("running is %v, runStrategy %v; Ready is %s", vm.Spec.Running, vm.Spec.RunStrategy, w.condition("Ready"))
	}
}

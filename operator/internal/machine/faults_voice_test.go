package machine_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// noKind is the error for a kind that a cluster does not serve.
func noKind(resource string) error {
	return &meta.NoKindMatchError{GroupKind: schema.GroupKind{Kind: resource}}
}

var webhookDown = apierrors.NewInternalError(
	errors.New(`failed calling webhook "virtualmachine-validator.kubevirt.io": connection refused`))

// attempts counts the calls of one kind.
func (w *world) attempts(at call) int {
	return len(w.called(func(c call) bool { return c == at }))
}

// TestWhatFailsIsTold: a call that fails each time is told with the words of the server, and is
// tried ever more seldom.
func TestWhatFailsIsTold(t *testing.T) {
	notConfigured := apierrors.NewInvalid(schema.GroupKind{Group: "vitistack.io", Kind: "NetworkConfiguration"}, "web",
		nil)
	quota := apierrors.NewForbidden(schema.GroupResource{Resource: "networkconfigurations"}, "web",
		errors.New("exceeded quota: count"))
	cases := map[string]struct {
		reason string
		at     call
		err    error
		says   string
	}{
		"WebhookDown": {
			reason: "a webhook of KubeVirt that is down is named",
			at:     creating, err: webhookDown, says: "failed calling webhook",
		},
		"TooMany": {
			reason: "a server that is too busy says so",
			at:     creating, err: apierrors.NewTooManyRequests("slow down", 30), says: "slow down",
		},
		"Unavailable": {
			reason: "a server that is not there says so",
			at:     creating, err: apierrors.NewServiceUnavailable("no endpoints for virt-api"), says: "no endpoints",
		},
		"Conflict": {
			reason: "a conflict that lasts is no race",
			at:     creating, err: apierrors.NewConflict(virtualMachines, vmName, errors.New("the request is denied: busy")),
			says: "busy",
		},
		"LateAnswer": {
			reason: "a creation whose answer never comes in time",
			at:     creating, err: context.DeadlineExceeded, says: "creating VirtualMachine",
		},
		"NotConfigured": {
			reason: "a provider that a definition's pattern refuses",
			at:     call{supervisor, "create", "NetworkConfiguration"}, err: notConfigured, says: "is invalid",
		},
		"Quota": {
			reason: "a quota in the supervisor",
			at:     call{supervisor, "create", "NetworkConfiguration"}, err: quota, says: "exceeded quota",
		},
		"Unknown": {
			reason: "an error that nobody has a name for",
			at:     creating, err: errors.New("the moon is full"), says: "creating VirtualMachine",
		},
		"Records": {
			reason: "a supervisor that refuses the ledger",
			at:     call{supervisor, "patch", anyMachine}, err: forbidden("machines"), says: "not allowed",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, []string{east}, newMachine(in(east)))
			w.before = fail(tc.at, tc.err)
			w.runFor(time.Minute)
			if got := w.condition("Ready"); !strings.HasPrefix(got, "False/") || !strings.Contains(w.says("Ready"), tc.says) {
				t.Errorf("%s: Ready is %s, and does not say %q: %s", tc.reason, got, tc.says, w.says("Ready"))
			}
			if got := w.attempts(tc.at); got < 2 || got > 8+5 { // a conflict is first repeated at once
				t.Errorf("%s: %d attempts in a minute", tc.reason, got)
			}
			w.before = nil
			w.runFor(10 * time.Minute)
			if w.where() == "" {
				t.Errorf("%s: once it works, the virtual machine is not made: %s", tc.reason, w.says("Ready"))
			}
		})
	}
}

// TestChangeThatFails: nothing says ready about a generation that was not applied.
func TestChangeThatFails(t *testing.T) {
	patching := call{east, "patch", anyVM}
	for name, err := range map[string]error{"WebhookDown": webhookDown, "LateAnswer": context.DeadlineExceeded} {
		t.Run(name, func(t *testing.T) {
			w := runs(t)
			w.before = fail(patching, err)
			w.editMachine(func(m *vitistackv1alpha1.Machine) { m.Generation = 2; m.Spec.InstanceType = "large" })
			w.forget()
			w.runFor(time.Minute)
			status := w.machine().Status
			if w.condition("Ready") == "True/Ready" || status.ObservedGeneration == 2 {
				t.Errorf("Ready is %s of generation %d", w.condition("Ready"), status.ObservedGeneration)
			}
			if !strings.Contains(w.says("Ready"), "VirtualMachine vm-web") {
				t.Errorf("what could not be done is not told: %s", w.says("Ready"))
			}
			if got := w.attempts(patching); got < 2 || got > 8 {
				t.Errorf("%d attempts in a minute", got)
			}
			w.before = nil
			w.runFor(10 * time.Minute)
			if got := w.machine().Status.ObservedGeneration; got != 2 || w.condition("Ready") != "True/Ready" {
				t.Errorf("once it works: Ready is %s of generation %d", w.condition("Ready"), got)
			}
		})
	}
}

// TestDeletionThatFails: a Machine whose deletion cannot go on says so within 30 s, also where each
// call is late and the cluster counts as connected.
func TestDeletionThatFails(t *testing.T) {
	w := runs(t)
	w.before = fail(call{east, "list", "VirtualMachineList"}, context.DeadlineExceeded)
	w.deleteMachine()
	w.forget()
	w.runFor(time.Minute)
	if got := w.condition("Ready"); got == "True/Ready" {
		t.Errorf("a Machine that is being deleted and cannot go is ready: %s", w.says("Ready"))
	}
	if !strings.Contains(w.says("Ready")+w.machine().Status.FailureMessage, "looking for VirtualMachine") {
		t.Errorf("what could not be done is not told: %s", w.says("Ready"))
	}
	if got := w.attempts(call{east, "list", "VirtualMachineList"}); got > 8 {
		t.Errorf("%d attempts in a minute", got)
	}
}

// TestDiskThatCannotGrow: a disk that is to grow and whose claim is not there is told.
func TestDiskThatCannotGrow(t *testing.T) {
	w := runs(t, disk(10))
	w.editMachine(func(m *vitistackv1alpha1.Machine) { m.Generation = 2; m.Spec.Disks[0].SizeGB = 20 })
	w.runFor(time.Minute)
	if got := w.condition("Ready"); got == "True/Ready" || !strings.Contains(w.says("Ready"), "root") {
		t.Errorf("Ready is %s: %s", got, w.says("Ready"))
	}
}

// TestClassesOfPlacedMachines: what happens to a class changes no virtual machine that exists, and
// holds up nothing.
func TestClassesOfPlacedMachines(t *testing.T) {
	gold := func() *vitistackv1alpha1.MachineClass {
		class := &vitistackv1alpha1.MachineClass{ObjectMeta: metav1.ObjectMeta{Name: "gold"}}
		class.Spec.CPU.Cores = 4
		class.Spec.Memory.Quantity.Set(4 << 30)
		return class
	}
	editClass := func(change func(*vitistackv1alpha1.MachineClass)) func(*world) {
		return func(w *world) {
			edit(w, supervisor, types.NamespacedName{Name: "gold"}, &vitistackv1alpha1.MachineClass{}, change)
		}
	}
	cases := map[string]struct {
		reason string
		event  func(*world)
	}{
		"Disabled": {
			reason: "a class that is switched off is for no new Machine",
			event:  editClass(func(c *vitistackv1alpha1.MachineClass) { c.Spec.Enabled = new(false) }),
		},
		"Edited": {
			reason: "a class that is edited resizes nobody",
			event: editClass(func(c *vitistackv1alpha1.MachineClass) {
				c.Spec.CPU.Cores = 2
				c.Spec.Memory.Quantity.Set(2 << 30)
			}),
		},
		"Deleted": {
			reason: "a class that is deleted strands nobody",
			event:  func(w *world) { w.remove(supervisor, gold()) },
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, []string{east}, newMachine(in(east), sized("gold")), gold())
			w.mustSettle()
			w.run(east)
			w.mustSettle()
			before := w.vms()[east+"/vm-web"].ResourceVersion
			tc.event(w)
			w.mustSettle()
			if got := w.condition("Ready"); got != "True/Ready" || w.vms()[east+"/vm-web"].ResourceVersion != before {
				t.Errorf("%s: Ready is %s, or the virtual machine was changed: %s", tc.reason, got, w.says("Ready"))
			}
			w.editMachine(func(m *vitistackv1alpha1.Machine) { m.Generation++; tagged(m); m.Spec.RunStrategy = "Halted" })
			w.mustSettle()
			if got := w.vms()[east+"/vm-web"].Spec.RunStrategy; got == nil || *got != kubevirtv1.RunStrategyHalted {
				t.Errorf("%s: the Machine's own change is held up: Ready is %s: %s", tc.reason, w.condition("Ready"),
					w.says("Ready"))
			}
		})
	}
}

// TestDisksThatNameTheirClass: a cluster without a default storage class is enough for a Machine
// whose disks all name one.
func TestDisksThatNameTheirClass(t *testing.T) {
	w := newWorld(t, []string{east}, newMachine(in(east), func(m *vitistackv1alpha1.Machine) {
		m.Spec.Disks = []vitistackv1alpha1.MachineSpecDisk{{Name: "root", SizeGB: 10, Type: "fast"}}
	}))
	edit(w, east, types.NamespacedName{Name: "fast"}, &storagev1.StorageClass{}, func(s *storagev1.StorageClass) {
		s.Annotations = nil
	})
	w.mustSettle()
	templates := w.vms()[east+"/vm-web"].Spec.DataVolumeTemplates
	if len(templates) != 1 || !strings.Contains(fmt.Sprint(templates[0].Spec.Storage, templates[0].Spec.PVC), "fast") &&
		*templates[0].Spec.Storage.StorageClassName != "fast" {
		t.Errorf("Ready is %s: %s", w.condition("Ready"), w.says("Ready"))
	}
}

// TestClassesThatMayNotBeListed: where storage classes cannot be listed, a disk's class is not
// silently the default one.
func TestClassesThatMayNotBeListed(t *testing.T) {
	w := newWorld(t, []string{east}, newMachine(in(east), func(m *vitistackv1alpha1.Machine) {
		m.Spec.Disks = []vitistackv1alpha1.MachineSpecDisk{{Name: "root", SizeGB: 10, Type: "fast"}}
	}))
	w.before = fail(call{east, "list", "StorageClassList"}, forbidden("storageclasses"))
	w.mustSettle()
	templates := w.vms()[east+"/vm-web"].Spec.DataVolumeTemplates
	if len(templates) != 1 || templates[0].Spec.Storage == nil || templates[0].Spec.Storage.StorageClassName == nil ||
		*templates[0].Spec.Storage.StorageClassName != "fast" {
		t.Errorf("the disk has another class: %+v; Ready is %s", templates, w.condition("Ready"))
	}
}

// otherObject answers with another object than the one that was asked for.
type otherObject struct{ client.Reader }

func (o otherObject) Get(_ context.Context, key client.ObjectKey, object client.Object, _ ...client.GetOption) error {
	object.SetNamespace(key.Namespace)
	object.SetName("another")
	object.SetUID(anotherUID)
	return nil
}

// TestAnotherObjectThanAsked: a remote server that answers with another object than asked for is
// believed nothing.
func TestAnotherObjectThanAsked(t *testing.T) {
	w := runs(t)
	w.manager.LiveFunc = func(config string) (client.Reader, error) { return otherObject{w.clients[config]}, nil }
	w.deleteMachine()
	w.runFor(time.Minute)
	if w.where() == "" {
		return // it was found by its label, and is the recorded one
	}
	if w.machine() == nil {
		t.Error("the Machine was let go on the word of a server that answers with other objects")
	}
}

// TestHostileGuest: a guest that reports 10,000 interfaces and endless names costs no more status
// than another.
func TestHostileGuest(t *testing.T) {
	w := runs(t)
	edit(w, east, client.ObjectKey{Namespace: namespace, Name: vmName}, &kubevirtv1.VirtualMachineInstance{},
		func(vmi *kubevirtv1.VirtualMachineInstance) {
			vmi.Status.GuestOSInfo.Name = strings.Repeat("n", 1<<20)
			for i := range 10000 {
				ip := fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&255, i&255)
				vmi.Status.Interfaces = append(vmi.Status.Interfaces, kubevirtv1.VirtualMachineInstanceNetworkInterface{
					InterfaceName: strings.Repeat("i", 1000) + fmt.Sprint(i), IP: ip, IPs: []string{ip, "fe80::1"},
					MAC: "02:00:00:00:00:01", InfoSource: "guest-agent",
				})
			}
		})
	w.mustSettle()
	if got := len(w.machine().Status.NetworkInterfaces); got > 100 {
		t.Errorf("the status has %d interfaces", got)
	}
	text, err := w.machine().Status.DeepCopy(), error(nil)
	if size := len(fmt.Sprintf("%+v", text)); size > 64<<10 || err != nil {
		t.Errorf("the status has about %d bytes", size)
	}
	if got := w.condition("Ready"); got != "True/Ready" {
		t.Errorf("Ready is %s", got)
	}
}

// TestManyAnnotations: annotations of 256 KiB, which leave no room for the record, are a condition
// in words, and no virtual machine is made.
func TestManyAnnotations(t *testing.T) {
	w := newWorld(t, []string{east}, newMachine(in(east)))
	w.editMachine(annotated("big.example/text", strings.Repeat("x", 256<<10-200)))
	tooLong := apierrors.NewInvalid(schema.GroupKind{Group: "vitistack.io", Kind: "Machine"}, "web", nil)
	tooLong.ErrStatus.Message = "metadata.annotations: Too long: may not be more than 262144 bytes"
	w.before = fail(call{supervisor, "patch", anyMachine}, tooLong)
	w.runFor(time.Minute)
	if got := w.condition("Placed"); got != "False/SupervisorRefused" || !strings.Contains(w.says("Placed"), "Too long") ||
		w.where() != "" {
		t.Errorf("Placed is %s: %s; virtual machines in %q", got, w.says("Placed"), w.where())
	}
	if got := w.attempts(call{supervisor, "patch", anyMachine}); got > 8 {
		t.Errorf("%d attempts in a minute", got)
	}
}

// TestEventsThatAreTooLong: what an Event says is cut between characters, so that the API server
// takes it.
func TestEventsThatAreTooLong(t *testing.T) {
	note := machine.Note(strings.Repeat("ä", 1000) + "b")
	if len(note) > 1024 || !strings.HasPrefix(note, "ää") || slices.Contains([]rune(note), '\uFFFD') {
		t.Errorf("%d bytes, ending in %q", len(note), note[len(note)-4:])
	}
	if note := machine.Note("b" + strings.Repeat("ä", 1000)); len(note) > 1024 || slices.Contains([]rune(note), '\uFFFD') {
		t.Errorf("%d bytes, ending in %q", len(note), note[len(note)-4:])
	}
}

var _ = desired.LabelValue

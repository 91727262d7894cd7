package lifelong

import (
	"context"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

const (
	copyName     = "web-copy"
	copyDiskName = "web-copy-root"
	backupName   = "web-backup"
)

// copyVM makes what a person gets who exports the Machine's VirtualMachine and creates it under
// another name, with other disks: all labels and annotations are copied. It waits until the copy's
// disk is there.
func (l *life) copyVM() {
	l.t.Helper()
	vm := l.vm()
	twin := &kubevirtv1.VirtualMachine{
		ObjectMeta: metav1.ObjectMeta{Namespace: vm.Namespace, Name: copyName, Labels: vm.Labels,
			Annotations: vm.Annotations},
		Spec: *vm.Spec.DeepCopy(),
	}
	if len(twin.Spec.DataVolumeTemplates) != 1 {
		l.t.Fatalf("the VirtualMachine has %d disks, want 1", len(twin.Spec.DataVolumeTemplates))
	}
	twin.Spec.DataVolumeTemplates[0].Name = copyDiskName
	spec := &twin.Spec.Template.Spec
	for i := range spec.Volumes {
		if spec.Volumes[i].DataVolume != nil {
			spec.Volumes[i].DataVolume.Name = copyDiskName
		}
	}
	for i := range spec.Domain.Devices.Interfaces {
		spec.Domain.Devices.Interfaces[i].MacAddress = ""
	}
	spec.Domain.Firmware = nil
	create(l.t, l.remote(), twin)
	eventually.Eventually(l.t, patience, "the copy has its disk", eventually.True(func() bool {
		return l.exists(&corev1.PersistentVolumeClaim{}, copyDiskName)
	}))
}

// copyClaim makes a claim with the labels of the Machine's disk, as a backup tool does.
func (l *life) copyClaim() {
	l.t.Helper()
	disk := l.vm().Spec.DataVolumeTemplates[0].Name
	claim := &corev1.PersistentVolumeClaim{}
	if !l.exists(claim, disk) {
		l.t.Fatalf("there is no claim %s", disk)
	}
	create(l.t, l.remote(), &corev1.PersistentVolumeClaim{
		ObjectMeta: metav1.ObjectMeta{Namespace: claim.Namespace, Name: backupName, Labels: claim.Labels,
			Annotations: map[string]string{"example.com/backup-of": disk}},
		Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: claim.Spec.AccessModes, Resources: claim.Spec.Resources, StorageClassName: claim.Spec.StorageClassName,
			VolumeMode: claim.Spec.VolumeMode,
		},
	})
}

// TestCopiesStay: a VirtualMachine and a claim that carry a Machine's labels because a person
// copied them are the person's. The Machine names the copy, and what is deleted with the Machine is
// its own.
func TestCopiesStay(t *testing.T) {
	t.Parallel()
	l := begin(t, east, "copies-stay", nil)
	l.untilReady()
	l.copyVM()
	l.copyClaim()
	l.untilCondition(vitistackv1alpha1.ConditionNoCopies, "False/"+vitistackv1alpha1.ReasonCopiesFound, copyName)
	disk := l.vm().Spec.DataVolumeTemplates[0].Name
	l.remove()
	l.untilGone()
	if l.vm() != nil || l.exists(&corev1.PersistentVolumeClaim{}, disk) {
		t.Errorf("the Machine's own VirtualMachine or its disk %s is left", disk)
	}
	for name, object := range map[string]client.Object{
		copyName: &kubevirtv1.VirtualMachine{}, copyDiskName: &corev1.PersistentVolumeClaim{},
		backupName: &corev1.PersistentVolumeClaim{},
	} {
		if !l.exists(object, name) || object.GetDeletionTimestamp() != nil {
			t.Errorf("the person's %T %s went with the Machine", object, name)
		}
	}
	if !l.exists(&cdiv1beta1.DataVolume{}, copyDiskName) {
		t.Errorf("the DataVolume of the person's copy went with the Machine")
	}
}

// TestCopyIsNoVM: a copy is never taken for the Machine's VirtualMachine, not when the record is
// lost, and not when the original is gone.
func TestCopyIsNoVM(t *testing.T) {
	t.Parallel()
	l := begin(t, east, "copy-no-vm", nil)
	l.untilReady()
	own := l.vm()
	l.copyVM()
	l.edit(func(m *vitistackv1alpha1.Machine) { delete(m.Annotations, vitistackv1alpha1.AnnotationPlacement) })
	l.until("the record is back and names the original", func(m *vitistackv1alpha1.Machine) error {
		ledger, err := vitistackv1alpha1.ParseLedger(m.Annotations[vitistackv1alpha1.AnnotationPlacement])
		if err != nil || ledger.VMUID != string(own.UID) {
			return fmt.Errorf("the record is %q, want the UID %s", m.Annotations[vitistackv1alpha1.AnnotationPlacement], own.UID)
		}
		return isReady(m)
	})
	if err := l.remote().Delete(t.Context(), own); err != nil {
		t.Fatal(err)
	}
	l.untilCondition(vitistackv1alpha1.ConditionReady, "False/"+vitistackv1alpha1.ReasonVanished, l.key.Name)
	if m := l.read(); m.Status.VMName == copyName || m.Status.Phase == vitistackv1alpha1.MachinePhaseStopped {
		t.Errorf("the copy counts as the Machine's: VM %s, phase %s", m.Status.VMName, m.Status.Phase)
	}
	l.remove()
	l.untilGone()
	if !l.exists(&kubevirtv1.VirtualMachine{}, copyName) {
		t.Error("the person's copy went with the Machine")
	}
}

// TestCopiedLedger: a Machine that is made from another one's export carries its record and its
// finalizers. It touches nothing of the original's: under another name it gets a VirtualMachine of
// its own with addresses of its own, and in another namespace it says what to take off. Both can be
// deleted.
func TestCopiedLedger(t *testing.T) {
	t.Parallel()
	const name, elsewhere = "ledger-copied", "ledger-copied-elsewhere"
	original := begin(t, east, name, nil)
	original.untilReady()
	newNamespace(t, elsewhere)
	exported := original.read()
	export := func(m *vitistackv1alpha1.Machine) {
		m.Annotations, m.Finalizers = exported.Annotations, exported.Finalizers
	}
	uid, mac := original.vm().UID, macOf(original.vm())

	renamed := beginIn(t, east, name, "renamed", export)
	renamed.untilReady()
	if vm := renamed.vm(); vm == nil || vm.UID == uid || macOf(vm) == mac {
		t.Errorf("the renamed Machine has no VirtualMachine and address of its own: %+v, the original's MAC is %s", vm, mac)
	}
	away := beginIn(t, east, elsewhere, name, export)
	away.until("it says what to take off", func(m *vitistackv1alpha1.Machine) error {
		return tells(m, vitistackv1alpha1.ConditionReady, vitistackv1alpha1.AnnotationPlacement)
	})
	for _, copied := range []*life{renamed, away} {
		copied.remove()
		copied.untilGone()
	}
	if vm := original.vm(); vm == nil || vm.UID != uid || vm.DeletionTimestamp != nil {
		t.Errorf("the original's VirtualMachine was touched: %+v", vm)
	}
	original.untilReady()
}

// macOf is the MAC of the first interface.
func macOf(vm *kubevirtv1.VirtualMachine) string {
	return vm.Spec.Template.Spec.Domain.Devices.Interfaces[0].MacAddress
}

// tells returns nil where a condition is not True and has a text in its message.
func tells(m *vitistackv1alpha1.Machine, conditionType, text string) error {
	c := m.Status.Condition(conditionType)
	if c == nil || c.Status == metav1.ConditionTrue || !strings.Contains(c.Message, text) {
		return fmt.Errorf("%s does not tell %q", conditionType, text)
	}
	return nil
}

// TestHeldByFinalizer: what holds a deletion is named, and the deletion ends when it is taken off.
func TestHeldByFinalizer(t *testing.T) {
	t.Parallel()
	const protect = "backup.example.com/protect"
	cases := map[string]struct {
		reason string
		held   func(l *life) client.Object
	}{
		"vm-held":    {"somebody else's finalizer holds the VirtualMachine", func(l *life) client.Object { return l.vm() }},
		"claim-held": {"somebody else's finalizer holds the disk's claim", (*life).claim},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := begin(t, east, name, nil)
			l.untilReady()
			held := tc.held(l)
			setFinalizers(t, l.remote(), held, append(held.GetFinalizers(), protect))
			l.remove()
			l.until(tc.reason, func(m *vitistackv1alpha1.Machine) error {
				return tells(m, vitistackv1alpha1.ConditionReady, protect)
			})
			eventually.Eventually(t, patience, "the finalizer is alone", func(ctx context.Context) error {
				if err := l.remote().Get(ctx, client.ObjectKeyFromObject(held), held); err != nil {
					return err
				}
				if len(held.GetFinalizers()) > 1 {
					return fmt.Errorf("the finalizers are %q", held.GetFinalizers())
				}
				return nil
			})
			setFinalizers(t, l.remote(), held, nil)
			l.untilGone()
		})
	}
}

// claim is the claim of the Machine's disk.
func (l *life) claim() client.Object {
	l.t.Helper()
	claim := &corev1.PersistentVolumeClaim{}
	if name := l.vm().Spec.DataVolumeTemplates[0].Name; !l.exists(claim, name) {
		l.t.Fatalf("there is no claim %s", name)
	}
	return claim
}

func setFinalizers(t *testing.T, c client.Client, object client.Object, finalizers []string) {
	t.Helper()
	before, _ := object.DeepCopyObject().(client.Object)
	object.SetFinalizers(finalizers)
	if err := c.Patch(t.Context(), object, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}

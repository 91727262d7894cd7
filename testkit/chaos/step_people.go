package chaos

import (
	"context"
	"maps"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// peopleKinds are what people do in the remotes, past the operator.
func peopleKinds() []kind {
	inCluster := func(d *draft) Step {
		return Step{Subject: d.machine(), Params: map[string]string{"cluster": d.remote()}}
	}
	return []kind{
		{name: "copy", weight: 3, do: copyVM, draw: inCluster},
		{name: "clone", weight: 3, do: clone, draw: func(d *draft) Step { return Step{Subject: d.machine()} }},
		{name: "take-snapshot", weight: 2, do: takeSnapshot, draw: func(d *draft) Step { return Step{Subject: d.machine()} }},
		{name: "restore-snapshot", weight: 1, do: restoreSnapshot, draw: func(d *draft) Step { return Step{Subject: d.machine()} }},
		{name: "foreign", weight: 3, do: foreign, draw: inCluster},
		{name: "vanish", weight: 2, do: vanish, draw: func(d *draft) Step { return Step{Subject: d.machine()} }},
	}
}

// virtualMachine reads the one that a Machine's record names, and says where it is.
func (w *world) virtualMachine(ctx context.Context, machine string) (*kubevirtv1.VirtualMachine, string, error) {
	m, err := w.machine(ctx, machine)
	if err != nil {
		return nil, "", err
	}
	ledger, err := vitistackv1alpha1.LedgerOf(m)
	if err != nil {
		return nil, "", err
	}
	remote, err := w.client(ledger.Config)
	if err != nil {
		return nil, "", err
	}
	vm := &kubevirtv1.VirtualMachine{}
	return vm, ledger.Config, remote.Get(ctx, client.ObjectKey{Namespace: ledger.Namespace, Name: ledger.VMName}, vm)
}

// byPerson creates an object in a remote that the operator must never write.
func (w *world) byPerson(ctx context.Context, cluster string, object client.Object) error {
	remote, err := w.client(cluster)
	if err != nil {
		return err
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: object.GetNamespace()}}
	if err := isThere(remote.Create(ctx, namespace)); err != nil {
		return err
	}
	if err := remote.Create(ctx, object); err != nil {
		return err
	}
	w.observer.Persons(cluster, object.GetUID())
	w.persons = append(w.persons, persons{cluster: cluster, object: object, uid: object.GetUID()})
	return nil
}

// halted is a copy of a virtual machine with all its labels and annotations that does not run.
func halted(of *kubevirtv1.VirtualMachine, name string) *kubevirtv1.VirtualMachine {
	vm := &kubevirtv1.VirtualMachine{
		ObjectMeta: metav1.ObjectMeta{Namespace: of.Namespace, Name: name, Labels: maps.Clone(of.Labels),
			Annotations: maps.Clone(of.Annotations)},
		Spec: *of.Spec.DeepCopy(),
	}
	vm.Spec.RunStrategy, vm.Spec.Running = ptr.To(kubevirtv1.RunStrategyHalted), nil
	vm.Spec.DataVolumeTemplates = nil // their names are taken
	return vm
}

// copyVM puts a copy of the same name into another cluster, as a tool for backups does.
func copyVM(ctx context.Context, w *world, step Step) error {
	vm, _, err := w.virtualMachine(ctx, step.Subject)
	if err != nil {
		return err
	}
	return w.byPerson(ctx, step.Params["cluster"], halted(vm, vm.Name))
}

// clone puts a copy of another name beside the virtual machine.
func clone(ctx context.Context, w *world, step Step) error {
	vm, cluster, err := w.virtualMachine(ctx, step.Subject)
	if err != nil {
		return err
	}
	return w.byPerson(ctx, cluster, halted(vm, w.next("persons-clone")))
}

// foreignSupervisor is what a foreign virtual machine says that it belongs to.
const foreignSupervisor = "another-supervisor"

// foreign takes the name that a Machine's virtual machine will have, or has, for one of another
// supervisor.
func foreign(ctx context.Context, w *world, step Step) error {
	return w.byPerson(ctx, step.Params["cluster"], &kubevirtv1.VirtualMachine{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.namespace, Name: "vm-" + step.Subject, Labels: map[string]string{
			vitistackv1alpha1.LabelSupervisorUID: foreignSupervisor, vitistackv1alpha1.LabelMachineUID: "another-machine",
		}},
		Spec: kubevirtv1.VirtualMachineSpec{
			RunStrategy: ptr.To(kubevirtv1.RunStrategyHalted), Template: &kubevirtv1.VirtualMachineInstanceTemplateSpec{},
		},
	})
}

// vanish deletes a virtual machine behind the operator's back.
func vanish(ctx context.Context, w *world, step Step) error {
	vm, cluster, err := w.virtualMachine(ctx, step.Subject)
	if err != nil {
		return err
	}
	w.observer.Excuse("a person deleted the virtual machine", vm.UID, "I1", "I2")
	return gone(ctx, w.remotes[cluster], vm)
}

// snapshotOf is an object of KubeVirt's snapshots.
func (w *world) snapshotOf(kind, name string, spec map[string]any) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	object.SetAPIVersion("snapshot.kubevirt.io/v1beta1")
	object.SetKind(kind)
	object.SetNamespace(w.namespace)
	object.SetName(name)
	return object
}

func source(vm string) map[string]any {
	return map[string]any{"apiGroup": "kubevirt.io", "kind": "VirtualMachine", "name": vm}
}

func takeSnapshot(ctx context.Context, w *world, step Step) error {
	vm, cluster, err := w.virtualMachine(ctx, step.Subject)
	if err != nil {
		return err
	}
	return w.byPerson(ctx, cluster, w.snapshotOf("VirtualMachineSnapshot", "persons-"+vm.Name,
		map[string]any{"source": source(vm.Name)}))
}

// restoreSnapshot asks for the snapshot into a virtual machine of another name.
func restoreSnapshot(ctx context.Context, w *world, step Step) error {
	vm, cluster, err := w.virtualMachine(ctx, step.Subject)
	if err != nil {
		return err
	}
	return w.byPerson(ctx, cluster, w.snapshotOf("VirtualMachineRestore", w.next("persons-restore"), map[string]any{
		"target": source("persons-" + vm.Name), "virtualMachineSnapshotName": "persons-" + vm.Name}))
}

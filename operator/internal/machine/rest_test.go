package machine_test

import (
	"context"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	kubevirtv1 "kubevirt.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
)

// TestRestEnds: whatever a pass depends on ends the rest of a Machine. Each case changes one thing
// and looks that the next pass is a whole one.
func TestRestEnds(t *testing.T) {
	key := client.ObjectKey{Namespace: namespace, Name: vmName}
	class := &vitistackv1alpha1.MachineClass{ObjectMeta: metav1.ObjectMeta{Name: "medium"}}
	cases := map[string]func(*world){
		"Machine": func(w *world) { w.editMachine(tagged) },
		"VM":      func(w *world) { w.editVM(func(vm *kubevirtv1.VirtualMachine) { vm.Labels["any"] = "label" }) },
		"Instance": func(w *world) {
			edit(w, east, key, &kubevirtv1.VirtualMachineInstance{}, func(vmi *kubevirtv1.VirtualMachineInstance) {
				vmi.Status.NodeName = "node-2"
			})
		},
		"InstanceGone": func(w *world) {
			w.remove(east, &kubevirtv1.VirtualMachineInstance{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: vmName}})
		},
		"VMGone": func(w *world) {
			w.remove(east, &kubevirtv1.VirtualMachine{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: vmName}})
		},
		"NetworkConfiguration": func(w *world) {
			edit(w, supervisor, webKey, &vitistackv1alpha1.NetworkConfiguration{},
				func(nc *vitistackv1alpha1.NetworkConfiguration) { nc.Spec.Name = "other" })
		},
		"Contact": func(w *world) { w.silence(east) },
		"Connection": func(w *world) {
			state, _ := w.manager.State(east)
			state.Since = state.Since.Add(1)
			w.manager.SetState(state)
		},
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			w := placed(t)
			w.put(supervisor, class.DeepCopy())
			w.run(east)
			r := w.reconciler()
			pass := func() int {
				t.Helper()
				before := w.manager.GetOrCreateFromMachineCalls
				if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: webKey}); err != nil {
					t.Fatal(err)
				}
				return w.manager.GetOrCreateFromMachineCalls - before
			}
			for range maxPasses {
				if pass() == 0 {
					break
				}
			}
			if got := pass(); got != 0 {
				t.Fatal("the Machine does not come to rest")
			}
			change(w)
			if pass() == 0 {
				t.Error("the Machine goes on resting")
			}
		})
	}
}

// TestCostOfRest counts what one reconcile of a Machine at rest costs beside what the caches do.
func TestCostOfRest(t *testing.T) {
	r := newStill(t, func(*vitistackv1alpha1.Machine) {})
	r.mustReconcile(t)
	allocations := testing.AllocsPerRun(100, func() { r.mustReconcile(t) })
	if allocations > 12 {
		t.Errorf("a Machine at rest costs %v allocations, the bound is 12", allocations)
	}
}

// BenchmarkReconcileAtRest is a reconcile with unchanged inputs, with caches that cost nothing. The
// bound is 10 µs and 12 allocations.
func BenchmarkReconcileAtRest(b *testing.B) {
	r := newStill(b, func(*vitistackv1alpha1.Machine) {})
	r.mustReconcile(b)
	b.ReportAllocs()
	for b.Loop() {
		r.mustReconcile(b)
	}
}

// BenchmarkReconcileChanged is a reconcile in which the VirtualMachine is built, compared with the
// one there is and applied, with servers that cost nothing. The bound is 1 ms.
func BenchmarkReconcileChanged(b *testing.B) {
	r := newStill(b, sized("large"))
	b.ReportAllocs()
	for b.Loop() {
		r.mustReconcile(b)
	}
	if *r.remote.applies == 0 {
		b.Fatal("nothing was applied")
	}
}

// still is a reconciler whose clusters always say the same, at no cost.
type still struct {
	*machine.MachineReconciler
	remote stillClient
}

func (s still) mustReconcile(t testing.TB) {
	if _, err := s.Reconcile(context.Background(), ctrl.Request{NamespacedName: webKey}); err != nil {
		t.Fatal(err)
	}
}

// newStill takes a Machine to rest, changes it, and keeps everything as it is then.
func newStill(t testing.TB, change func(*vitistackv1alpha1.Machine)) still {
	t.Helper()
	w := placed(t)
	w.run(east)
	w.mustSettle()
	objects := &stillWorld{machine: w.machine(), vmi: &kubevirtv1.VirtualMachineInstance{},
		nc: &vitistackv1alpha1.NetworkConfiguration{}}
	vm := w.vms()[east+"/vm-web"]
	objects.vm = &vm
	for object, cluster := range map[client.Object]string{objects.vmi: east, objects.nc: supervisor} {
		object.SetNamespace(namespace)
		object.SetName(map[string]string{east: vmName, supervisor: webKey.Name}[cluster])
		if !w.exists(cluster, object) {
			t.Fatalf("there is no %T", object)
		}
	}
	var err error
	if objects.content, err = runtime.DefaultUnstructuredConverter.ToUnstructured(objects.vm); err != nil {
		t.Fatal(err)
	}
	change(objects.machine)
	remote := stillClient{objects: objects, applies: new(int)}
	manager := clientmgr.NewMockClientManager()
	manager.AddMockedClient(east, remote)
	return still{machine.NewMachineReconciler(remote, newScheme(t), manager, machine.WithSettings(worldSettings())),
		remote}
}

// stillClient is both clusters.
type stillClient struct {
	client.Client
	objects *stillWorld
	applies *int
}

type stillWorld struct {
	machine *vitistackv1alpha1.Machine
	vm      *kubevirtv1.VirtualMachine
	vmi     *kubevirtv1.VirtualMachineInstance
	nc      *vitistackv1alpha1.NetworkConfiguration
	content map[string]any
}

// Get implements client.Client: a copy of the outermost struct.
func (c stillClient) Get(_ context.Context, _ client.ObjectKey, into client.Object, _ ...client.GetOption) error {
	switch object := into.(type) {
	case *vitistackv1alpha1.Machine:
		*object = *c.objects.machine
	case *kubevirtv1.VirtualMachine:
		*object = *c.objects.vm
	case *kubevirtv1.VirtualMachineInstance:
		*object = *c.objects.vmi
	case *vitistackv1alpha1.NetworkConfiguration:
		*object = *c.objects.nc
	case *unstructured.Unstructured:
		object.Object = runtime.DeepCopyJSON(c.objects.content)
	default:
		return apierrors.NewNotFound(virtualMachines, "it")
	}
	return nil
}

// List implements client.Client: there is nothing.
func (c stillClient) List(context.Context, client.ObjectList, ...client.ListOption) error { return nil }

// Patch implements client.Client.
func (c stillClient) Patch(context.Context, client.Object, client.Patch, ...client.PatchOption) error {
	return nil
}

// Apply implements client.Client.
func (c stillClient) Apply(context.Context, runtime.ApplyConfiguration, ...client.ApplyOption) error {
	*c.applies++
	return nil
}

// Status implements client.Client.
func (c stillClient) Status() client.SubResourceWriter { return stillStatus{} }

type stillStatus struct{ client.SubResourceWriter }

// Patch implements client.SubResourceWriter.
func (stillStatus) Patch(context.Context, client.Object, client.Patch, ...client.SubResourcePatchOption) error {
	return nil
}

package scenarios

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/deployment"
)

// TestHandover runs every step of deploy/docs/handover.md with the operator itself: there, back,
// there again and back again. What the public operator leaves is made by hand; its Deployment is
// one without Pods.
func TestHandover(t *testing.T) {
	h := newHandover(t)
	before := h.guests()
	there := []string{"look", "rights", "install", "stop-theirs", "start-ours", "wait", "finalizers"}
	back := []string{"names", "stop-ours", "release", "start-theirs"}

	h.walk(there...)
	h.wantTakenOver(before)
	if output, err := h.run("release"); err == nil || !strings.Contains(output, "leads by lease") {
		t.Errorf("finalizers must not be taken off while the operator runs, got %v:\n%s", err, output)
	}
	h.walk(back...)
	h.wantLetGo(before)

	h.walk(there[3:]...)
	h.wantTakenOver(before)
	h.wantDeletable("web", before)
	h.walk(append(back, "remove")...)
	delete(before, "web")
	h.wantLetGo(before)

	for name := range h.steps {
		if !h.done[name] {
			t.Errorf("step %s was not run", name)
		}
	}
}

// walk runs steps of the document, and does what a cluster does that runs Pods.
func (h *handover) walk(names ...string) {
	h.Helper()
	for _, name := range names {
		if output, err := h.run(name); err != nil {
			h.Fatalf("step %s: %v:\n%s", name, err, output)
		}
		h.play()
	}
}

// play starts and stops the operator as its Deployment says.
func (h *handover) play() {
	h.Helper()
	ours := &appsv1.Deployment{}
	err := h.supervisor.Get(h.Context(), client.ObjectKey{Namespace: account, Name: account}, ours)
	if client.IgnoreNotFound(err) != nil {
		h.Fatal(err)
	}
	switch isWanted := err == nil && *ours.Spec.Replicas > 0; {
	case isWanted && h.program == nil:
		h.program = h.start(ours)
	case isWanted && h.program.cmd == nil:
		h.program.start(h.T)
	case !isWanted && h.program != nil:
		h.program.stop(h.T, syscall.SIGTERM)
	}
	h.playTheirs(ours)
}

// start starts the operator with the arguments and the environment of its Deployment, as its
// service account.
func (h *handover) start(ours *appsv1.Deployment) *program {
	h.Helper()
	path := filepath.Join(h.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, kubeconfigOf(h.T, h.plane, h.supervisor), 0o600); err != nil {
		h.Fatal(err)
	}
	container := ours.Spec.Template.Spec.Containers[0]
	args := append([]string{"--kubeconfig=" + path}, container.Args...)
	args = append(args, "--leader-election-namespace="+ours.Namespace, "--metrics-bind-address=127.0.0.1:0")
	var env []string
	for _, variable := range container.Env {
		env = append(env, variable.Name+"="+variable.Value)
	}
	return startWith(h.T, args, append(env, "LOG_JSON=false")...)
}

// playTheirs puts the public operator's finalizer on, while that is to run. The two operators are
// never to run at once.
func (h *handover) playTheirs(ours *appsv1.Deployment) {
	h.Helper()
	theirs := &appsv1.Deployment{}
	if err := h.supervisor.Get(h.Context(), client.ObjectKey{Namespace: "public", Name: "public-operator"},
		theirs); err != nil {
		h.Fatal(err)
	}
	if *theirs.Spec.Replicas == 0 {
		return
	}
	if ours.Spec.Replicas != nil && *ours.Spec.Replicas > 0 {
		h.Fatal("both operators are to run")
	}
	list := &vitistackv1alpha1.MachineList{}
	if err := h.supervisor.List(h.Context(), list); err != nil {
		h.Fatal(err)
	}
	for i := range list.Items {
		m := &list.Items[i]
		patch := client.MergeFrom(m.DeepCopy())
		if controllerutil.AddFinalizer(m, vitistackv1alpha1.FinalizerMachinePublic) {
			if err := h.supervisor.Patch(h.Context(), m, patch); err != nil {
				h.Fatal(err)
			}
		}
	}
}

// run runs a step in the repository's root.
func (h *handover) run(name string) (string, error) {
	h.Helper()
	step, found := h.steps[name]
	if !found {
		h.Fatalf("the document has no step %s", name)
	}
	h.done[name] = true
	command := exec.CommandContext(h.Context(), "bash", "-euo", "pipefail", "-c", step.Script)
	command.Dir, command.Env = filepath.Join("..", "..", ".."), h.env
	output, err := command.CombinedOutput()
	return string(output), err
}

// guest is what stays the same of a virtual machine whoever looks after it: objects, and what runs.
type guest struct {
	VM, VMI types.UID
	Spec    kubevirtv1.VirtualMachineSpec // without the labels of its template
	Claims  map[string]types.UID
	MACs    []string // of the NetworkConfiguration
}

// guests are the virtual machines of the tenants' namespace, by name.
func (h *handover) guests() map[string]guest {
	h.Helper()
	vms, vmis, claims := &kubevirtv1.VirtualMachineList{}, &kubevirtv1.VirtualMachineInstanceList{},
		&corev1.PersistentVolumeClaimList{}
	for _, list := range []client.ObjectList{vms, vmis, claims} {
		if err := h.remote.List(h.Context(), list, client.InNamespace(tenants)); err != nil {
			h.Fatal(err)
		}
	}
	all := map[string]guest{}
	for _, vm := range vms.Items {
		g := guest{VM: vm.UID, Spec: *vm.Spec.DeepCopy(), Claims: map[string]types.UID{}, MACs: h.macs(vm.Name)}
		g.Spec.Template.ObjectMeta.Labels = nil
		for _, vmi := range vmis.Items {
			if vmi.Name == vm.Name {
				g.VMI = vmi.UID
			}
		}
		for _, claim := range claims.Items {
			if claim.Labels[vitistackv1alpha1.LabelSourceMachine] == vm.Name {
				g.Claims[claim.Name] = claim.UID
			}
		}
		all[vm.Name] = g
	}
	return all
}

// macs are the addresses in a Machine's NetworkConfiguration.
func (h *handover) macs(name string) (macs []string) {
	h.Helper()
	nc := &vitistackv1alpha1.NetworkConfiguration{}
	if err := h.supervisor.Get(h.Context(), client.ObjectKey{Namespace: tenants, Name: name}, nc); err != nil {
		h.Fatal(err)
	}
	for _, each := range nc.Spec.NetworkInterfaces {
		macs = append(macs, each.MacAddress)
	}
	return macs
}

// wantTakenOver holds that guests run on as they were, and that each Machine is ours alone.
func (h *handover) wantTakenOver(before map[string]guest) {
	h.Helper()
	for name := range before {
		eventually(h.T, patience, func() string {
			m := h.machine(name)
			ready := m.Status.Condition(vitistackv1alpha1.ConditionReady)
			if ready == nil || ready.Status != "True" {
				return name + " is not ready: " + string(m.Status.Phase) + " " + m.Status.FailureMessage
			}
			return ""
		})
		m := h.machine(name)
		if diff := cmp.Diff([]string{vitistackv1alpha1.FinalizerMachine}, m.Finalizers); diff != "" {
			h.Errorf("finalizers of %s (-want +got):\n%s", name, diff)
		}
		if m.Status.VMName != name {
			h.Errorf("the virtual machine of %s is called %s", name, m.Status.VMName)
		}
	}
	h.wantSame(before)
}

// wantLetGo holds that guests run on as they were, with the labels by which the public operator
// knows them, and that nothing of ours holds any object.
func (h *handover) wantLetGo(before map[string]guest) {
	h.Helper()
	h.wantSame(before)
	ours := []string{
		vitistackv1alpha1.FinalizerMachine, vitistackv1alpha1.FinalizerNetworkConfiguration,
		vitistackv1alpha1.FinalizerKubevirtConfig,
	}
	objects := []client.Object{h.config()}
	for name := range before {
		nc := &vitistackv1alpha1.NetworkConfiguration{}
		vm := &kubevirtv1.VirtualMachine{}
		key := client.ObjectKey{Namespace: tenants, Name: name}
		for object, c := range map[client.Object]client.Client{nc: h.supervisor, vm: h.remote} {
			if err := c.Get(h.Context(), key, object); err != nil {
				h.Fatal(err)
			}
		}
		if vm.Labels[vitistackv1alpha1.LabelManagedBy] != managedBy ||
			vm.Labels[vitistackv1alpha1.LabelSourceMachine] != name {
			h.Errorf("the public operator does not know %s any more: %v", name, vm.Labels)
		}
		objects = append(objects, h.machine(name), nc, vm)
	}
	for _, object := range objects {
		for _, finalizer := range object.GetFinalizers() {
			if slices.Contains(ours, finalizer) {
				h.Errorf("%T %s is held by %s", object, object.GetName(), finalizer)
			}
		}
	}
}

func (h *handover) wantSame(before map[string]guest) {
	h.Helper()
	if diff := cmp.Diff(before, h.guests()); diff != "" {
		h.Errorf("virtual machines (-before +after):\n%s", diff)
	}
}

// wantDeletable deletes a Machine: its virtual machine and its disks go, and nobody else's.
func (h *handover) wantDeletable(name string, before map[string]guest) {
	h.Helper()
	if err := h.supervisor.Delete(h.Context(), h.machine(name)); err != nil {
		h.Fatal(err)
	}
	eventually(h.T, patience, func() string {
		m := &vitistackv1alpha1.Machine{}
		if err := h.supervisor.Get(h.Context(), client.ObjectKey{Namespace: tenants, Name: name}, m); err == nil {
			return name + " is still there: " + m.Status.Message
		}
		return ""
	})
	left := map[string]guest{}
	for other, g := range before {
		if other != name {
			left[other] = g
		}
	}
	h.wantSame(left)
	for claim := range before[name].Claims {
		object := &corev1.PersistentVolumeClaim{}
		if err := h.remote.Get(h.Context(), client.ObjectKey{Namespace: tenants, Name: claim}, object); err == nil {
			h.Errorf("claim %s is left", claim)
		}
	}
}

func (h *handover) machine(name string) *vitistackv1alpha1.Machine {
	h.Helper()
	m := &vitistackv1alpha1.Machine{}
	if err := h.supervisor.Get(h.Context(), client.ObjectKey{Namespace: tenants, Name: name}, m); err != nil {
		h.Fatal(err)
	}
	return m
}

func (h *handover) config() *vitistackv1alpha1.KubevirtConfig {
	h.Helper()
	config := &vitistackv1alpha1.KubevirtConfig{}
	if err := h.supervisor.Get(h.Context(), client.ObjectKey{Name: "cluster-east"}, config); err != nil {
		h.Fatal(err)
	}
	return config
}

// steps reads the document.
func steps(t *testing.T) map[string]deployment.Step {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "..", "deploy", "docs", "handover.md"))
	if err != nil {
		t.Fatal(err)
	}
	list, err := deployment.Steps(string(text))
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]deployment.Step{}
	for _, step := range list {
		named[step.Name] = step
	}
	return named
}

package lifelong

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// patience is for what happens soon on a quiet machine. The tests count calls and compare states,
// they measure no times.
const patience = 3 * time.Minute

// life is a Machine in a namespace of its own.
type life struct {
	t       *testing.T
	key     client.ObjectKey
	cluster string
}

// newNamespace makes a namespace of the supervisor.
func newNamespace(t *testing.T, name string) {
	t.Helper()
	create(t, world.supervisor, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	t.Cleanup(func() { tellLog(t, name) })
}

// tellLog prints the operator's last lines about a namespace if its test failed.
func tellLog(t *testing.T, namespace string) {
	if !t.Failed() {
		return
	}
	content, err := os.ReadFile(world.log)
	if err != nil {
		t.Error(err)
	}
	var lines []string
	for line := range strings.Lines(string(content)) {
		if strings.Contains(line, namespace) {
			lines = append(lines, line)
		}
	}
	t.Logf("the operator's log about %s:\n%s", namespace, strings.Join(lines[max(0, len(lines)-25):], ""))
}

// begin creates a Machine for a cluster, in a namespace that has the Machine's name.
func begin(t *testing.T, cluster, name string, change func(*vitistackv1alpha1.Machine)) *life {
	t.Helper()
	newNamespace(t, name)
	return beginIn(t, cluster, name, name, change)
}

// beginIn creates a Machine for a cluster in a namespace that is there.
func beginIn(t *testing.T, cluster, namespace, name string, change func(*vitistackv1alpha1.Machine)) *life {
	t.Helper()
	m := &vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: name,
			Annotations: map[string]string{vitistackv1alpha1.AnnotationKubevirtConfig: cluster},
		},
		Spec: vitistackv1alpha1.MachineSpec{Provider: "kubevirt", InstanceType: "small"},
	}
	if change != nil {
		change(m)
	}
	create(t, world.supervisor, m)
	return &life{t: t, key: client.ObjectKeyFromObject(m), cluster: cluster}
}

func create(t *testing.T, c client.Client, object client.Object) {
	t.Helper()
	if err := c.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
}

// createYAML creates the objects of a manifest.
func createYAML(t *testing.T, c client.Client, manifest string) {
	t.Helper()
	for document := range strings.SplitSeq(manifest, "\n---\n") {
		object := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), object); err != nil {
			t.Fatal(err)
		}
		create(t, c, object)
	}
}

// remote is the administrator's client of the Machine's cluster.
func (l *life) remote() client.Client { return world.remote[l.cluster] }

// read returns the Machine, or nil where it is gone.
func (l *life) read() *vitistackv1alpha1.Machine {
	l.t.Helper()
	m := &vitistackv1alpha1.Machine{}
	err := world.supervisor.Get(l.t.Context(), l.key, m)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		l.t.Fatal(err)
	}
	return m
}

// until waits until check has nothing to say about the Machine.
func (l *life) until(what string, check func(*vitistackv1alpha1.Machine) error) {
	l.t.Helper()
	eventually.Eventually(l.t, patience, what, func(context.Context) error {
		m := l.read()
		if m == nil {
			return errors.New("the Machine is gone")
		}
		if err := check(m); err != nil {
			return fmt.Errorf("%w; phase %s, %s", err, m.Status.Phase, conditions(m))
		}
		return nil
	})
}

// untilCondition waits until a condition is as said: "False/Rejected", with a text in its message.
func (l *life) untilCondition(conditionType, want, text string) {
	l.t.Helper()
	l.until(fmt.Sprintf("%s is %s with %q", conditionType, want, text), func(m *vitistackv1alpha1.Machine) error {
		c := m.Status.Condition(conditionType)
		if c == nil || fmt.Sprintf("%s/%s", c.Status, c.Reason) != want || !strings.Contains(c.Message, text) {
			return errors.New("not yet")
		}
		return nil
	})
}

// untilReady waits until the Machine's present generation is applied and ready.
func (l *life) untilReady() {
	l.t.Helper()
	l.until("Ready is True for the present generation", isReady)
}

func isReady(m *vitistackv1alpha1.Machine) error {
	c := m.Status.Condition(vitistackv1alpha1.ConditionReady)
	if c == nil || c.Status != metav1.ConditionTrue || c.ObservedGeneration != m.Generation {
		return fmt.Errorf("generation %d is not ready", m.Generation)
	}
	return nil
}

// conditions are a Machine's conditions in words.
func conditions(m *vitistackv1alpha1.Machine) string {
	var words []string
	for _, c := range m.Status.GetConditions() {
		words = append(words, fmt.Sprintf("%s=%s/%s (%d) %q", c.Type, c.Status, c.Reason, c.ObservedGeneration, c.Message))
	}
	return strings.Join(words, "; ")
}

// edit changes the Machine as a person does.
func (l *life) edit(change func(*vitistackv1alpha1.Machine)) {
	l.t.Helper()
	m := l.read()
	if m == nil {
		l.t.Fatal("the Machine is gone")
	}
	before := m.DeepCopy()
	change(m)
	if err := world.supervisor.Patch(l.t.Context(), m, client.MergeFrom(before)); err != nil {
		l.t.Fatal(err)
	}
}

// vm returns the VirtualMachine of the Machine's name, or nil where there is none.
func (l *life) vm() *kubevirtv1.VirtualMachine {
	l.t.Helper()
	vm := &kubevirtv1.VirtualMachine{}
	err := l.remote().Get(l.t.Context(), l.key, vm)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		l.t.Fatal(err)
	}
	return vm
}

// editVM changes the VirtualMachine as a person in the remote cluster does.
func (l *life) editVM(change func(*kubevirtv1.VirtualMachine)) {
	l.t.Helper()
	vm := l.vm()
	before := vm.DeepCopy()
	change(vm)
	if err := l.remote().Patch(l.t.Context(), vm, client.MergeFrom(before)); err != nil {
		l.t.Fatal(err)
	}
}

// remove deletes the Machine. It does not wait.
func (l *life) remove() {
	l.t.Helper()
	m := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: l.key.Namespace, Name: l.key.Name}}
	if err := world.supervisor.Delete(l.t.Context(), m); err != nil {
		l.t.Fatal(err)
	}
}

// untilGone waits until the Machine is gone.
func (l *life) untilGone() {
	l.t.Helper()
	eventually.Eventually(l.t, patience, "the Machine is gone", func(context.Context) error {
		if m := l.read(); m != nil {
			return fmt.Errorf("it is there: phase %s, %s", m.Status.Phase, conditions(m))
		}
		return nil
	})
}

// exists says whether an object of a remote cluster is there.
func (l *life) exists(object client.Object, name string) bool {
	l.t.Helper()
	err := l.remote().Get(l.t.Context(), client.ObjectKey{Namespace: l.key.Namespace, Name: name}, object)
	if client.IgnoreNotFound(err) != nil {
		l.t.Fatal(err)
	}
	return err == nil
}

// attachments lists the names of the namespace's NetworkAttachmentDefinitions.
func (l *life) attachments() []string {
	l.t.Helper()
	list := &unstructured.UnstructuredList{}
	list.SetGroupVersionKind(schema.GroupVersionKind{
		Group: "k8s.cni.cncf.io", Version: "v1", Kind: "NetworkAttachmentDefinitionList",
	})
	if err := l.remote().List(l.t.Context(), list, client.InNamespace(l.key.Namespace)); err != nil {
		l.t.Fatal(err)
	}
	var names []string
	for _, item := range list.Items {
		names = append(names, item.GetName())
	}
	return names
}

// memory is what the VirtualMachine's template asks for.
func memory(vm *kubevirtv1.VirtualMachine) string {
	if vm == nil || vm.Spec.Template == nil || vm.Spec.Template.Spec.Domain.Memory == nil ||
		vm.Spec.Template.Spec.Domain.Memory.Guest == nil {
		return ""
	}
	return vm.Spec.Template.Spec.Domain.Memory.Guest.String()
}

// untilMemory waits until the VirtualMachine's template asks for an amount.
func (l *life) untilMemory(want string) {
	l.t.Helper()
	l.until("the template asks for "+want, func(*vitistackv1alpha1.Machine) error {
		if got := memory(l.vm()); got != want {
			return fmt.Errorf("it asks for %q", got)
		}
		return nil
	})
}

package journeys

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/yaml"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/api/rbac"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// TestGuest restarts, resizes, pauses and resumes one guest of a real KubeVirt, through a missing right
// and a process that is killed between its record and its call.
func TestGuest(t *testing.T) {
	class := &vitistackv1alpha1.MachineClass{ObjectMeta: metav1.ObjectMeta{Name: "roomy"}}
	class.Spec.CPU.Cores = 1
	class.Spec.Memory.Quantity.Set(1 << 30)
	if err := world.supervisor.Create(t.Context(), class); err != nil {
		t.Fatal(err)
	}
	g := arrive(t, east, "guest", func(m *vitistackv1alpha1.Machine) { m.Spec.InstanceType = class.Name })
	first := g.instance(east)

	g.annotate(vitistackv1alpha1.AnnotationRestart, "one")
	g.says(vitistackv1alpha1.ReasonGuestRightMissing, "virtualmachines/restart", "deploy/remote/guest")
	if n := g.asked("restart"); n != 1 || g.instance(east) != first {
		t.Fatalf("asked %d times without the right", n)
	}
	apply(t, world.remote[east], rbac.Guest)
	second := g.restarted("one", first)

	patch(t, world.supervisor, class, map[string]any{"spec": map[string]any{"cpu": map[string]any{"cores": 2}}})
	g.annotate(vitistackv1alpha1.AnnotationResize, "one")
	g.says(vitistackv1alpha1.ReasonRestartRequired)
	if vm := g.vm(east); vm.Spec.Template.Spec.Domain.CPU.Cores != 2 || g.instance(east) != second {
		t.Errorf("the virtual machine has %d cores", vm.Spec.Template.Spec.Domain.CPU.Cores)
	}

	asked := g.asked("restart")
	g.killedBeforeItAsks("two")
	g.restarted("two", second)
	if n := g.asked("restart") - asked; n != 1 {
		t.Errorf("KubeVirt was asked %d times for one restart", n)
	}
	if reason := g.ready().Reason; reason != vitistackv1alpha1.ReasonReady {
		t.Errorf("Ready is %s after the restart", reason)
	}
	g.pauses()
}

// annotate writes an annotation of the Machine, nil takes it away.
func (g *traveller) annotate(name string, value any) {
	g.t.Helper()
	patch(g.t, world.supervisor, g.machine(), map[string]any{"metadata": map[string]any{
		"annotations": map[string]any{name: value}}})
}

// instance is the UID of the running instance in a cluster, "" where none runs.
func (g *traveller) instance(cluster string) types.UID {
	g.t.Helper()
	vmi := &kubevirtv1.VirtualMachineInstance{}
	key := client.ObjectKey{Namespace: g.key.Namespace, Name: "vm-" + g.key.Name}
	if err := world.remote[cluster].Get(context.Background(), key, vmi); err != nil || !vmi.IsRunning() {
		return ""
	}
	return vmi.UID
}

func (g *traveller) ready() metav1.Condition {
	g.t.Helper()
	if ready := g.machine().Status.Condition(vitistackv1alpha1.ConditionReady); ready != nil {
		return *ready
	}
	return metav1.Condition{}
}

// says waits until Ready has a reason, with texts in its message.
func (g *traveller) says(reason string, texts ...string) {
	g.t.Helper()
	eventually.Eventually(g.t, patience, "Ready is "+reason, func(context.Context) error {
		ready := g.ready()
		for _, text := range texts {
			if !strings.Contains(ready.Message, text) {
				return fmt.Errorf("%s: %q lacks %q", ready.Reason, ready.Message, text)
			}
		}
		if ready.Reason != reason {
			return fmt.Errorf("%s: %s", ready.Reason, ready.Message)
		}
		return nil
	})
}

// restarted waits until the token is done, and holds that one instance alone came after the one of
// before. It returns that instance.
func (g *traveller) restarted(token string, before types.UID) types.UID {
	g.t.Helper()
	seen := map[types.UID]bool{before: true, "": true}
	eventually.Eventually(g.t, patience, "the restart "+token+" is done", func(context.Context) error {
		seen[g.instance(east)] = true
		record, found, err := vitistackv1alpha1.RestartRecordOf(g.machine())
		if err != nil || !found || record.Token != token || !record.Done {
			return errors.Join(fmt.Errorf("the record is %v", record), err)
		}
		return nil
	})
	g.runsIn(east)
	now := g.instance(east)
	if seen[now] = true; len(seen) != 3 || now == before {
		g.t.Errorf("instances %v: want one after %s", seen, before)
	}
	return now
}

// asked is how often the operator called a subresource of the guest in east.
func (g *traveller) asked(subresource string) int {
	g.t.Helper()
	calls, err := audit.Read(world.clusters[east].ControlPlane.AuditLog(), audit.Filter{
		User: fleet.OperatorUser, Namespace: g.key.Namespace, Verb: "update", Name: "vm-" + g.key.Name,
	})
	if err != nil {
		g.t.Fatal(err)
	}
	n := 0
	for _, call := range calls {
		if call.Subresource == subresource {
			n++
		}
	}
	return n
}

// killedBeforeItAsks asks for a restart, and kills the operator once it is recorded and before any call
// has reached the cluster.
func (g *traveller) killedBeforeItAsks(token string) {
	g.t.Helper()
	if err := world.clusters[east].SetFault(faults.Fault{Kind: faults.Blackhole, On: faults.Write}); err != nil {
		g.t.Fatal(err)
	}
	g.annotate(vitistackv1alpha1.AnnotationRestart, token)
	eventually.Eventually(g.t, patience, "the restart is recorded", func(context.Context) error {
		record, _, err := vitistackv1alpha1.RestartRecordOf(g.machine())
		if err != nil || record.Token != token {
			return errors.Join(fmt.Errorf("the record is %v", record), err)
		}
		return nil
	})
	if err := world.operator.Kill(); err != nil {
		g.t.Fatal(err)
	}
	if err := world.clusters[east].SetFault(faults.Fault{}); err != nil {
		g.t.Fatal(err)
	}
	if err := world.operator.Start(); err != nil {
		g.t.Fatal(err)
	}
}

// pauses pauses the guest and lets it go on, and leaves alone what a person paused.
func (g *traveller) pauses() {
	g.t.Helper()
	g.annotate(vitistackv1alpha1.AnnotationPauseGuest, "true")
	g.says(vitistackv1alpha1.ReasonGuestPaused, vitistackv1alpha1.AnnotationPauseGuest)
	g.annotate(vitistackv1alpha1.AnnotationPauseGuest, nil)
	g.runsIn(east)
	if pauses, resumes := g.asked("pause"), g.asked("unpause"); pauses != 1 || resumes != 1 {
		g.t.Errorf("asked %d times for the pause and %d times for its end", pauses, resumes)
	}
	time.Sleep(time.Second) // a record that is taken away, and nothing else
	if record, found, err := vitistackv1alpha1.PauseRecordOf(g.machine()); found || err != nil {
		g.t.Errorf("the record stays: %v, %v", record, err)
	}
}

// apply creates the objects of a stream.
func apply(t *testing.T, c client.Client, stream []byte) {
	t.Helper()
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(stream), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return
		}
		if err == nil && len(object.Object) > 0 {
			err = c.Create(t.Context(), object)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

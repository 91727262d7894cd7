package journeys

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/contents"
)

// patience is for what happens soon on a quiet machine.
const patience = 3 * time.Minute

// traveller is a Machine in a namespace of its own that is moved.
type traveller struct {
	t    *testing.T
	key  client.ObjectKey
	move client.ObjectKey
	// marks are what the guest wrote, by the name of the disk.
	marks map[string]string
}

// arrive makes a Machine in a cluster, waits until it runs, and lets its guest write to each disk.
func arrive(t *testing.T, cluster, name string, change func(*vitistackv1alpha1.Machine)) *traveller {
	t.Helper()
	g := &traveller{t: t, key: client.ObjectKey{Namespace: name, Name: name}, marks: map[string]string{}}
	g.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}})
	m := &vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{Namespace: name, Name: name,
			Annotations: map[string]string{vitistackv1alpha1.AnnotationKubevirtConfig: cluster}},
		Spec: vitistackv1alpha1.MachineSpec{Provider: "kubevirt", InstanceType: "small",
			KubevirtConfigRef: &vitistackv1alpha1.KubevirtConfigReference{Name: cluster},
			Disks:             []vitistackv1alpha1.MachineSpecDisk{{Name: "root", SizeGB: 10, Boot: true}, {Name: "data", SizeGB: 2}},
			CloudInit:         &vitistackv1alpha1.MachineCloudInit{UserData: "#cloud-config\nhostname: " + name}},
	}
	if change != nil {
		change(m)
	}
	g.create(m)
	t.Cleanup(func() { tellLog(t, name) })
	g.runsIn(cluster)
	g.write(cluster, "first")
	return g
}

func (g *traveller) create(object client.Object) {
	g.t.Helper()
	if err := world.supervisor.Create(g.t.Context(), object); err != nil {
		g.t.Fatal(err)
	}
}

// machine reads the Machine.
func (g *traveller) machine() *vitistackv1alpha1.Machine {
	g.t.Helper()
	m := &vitistackv1alpha1.Machine{}
	if err := world.supervisor.Get(context.Background(), g.key, m); err != nil {
		g.t.Fatal(err)
	}
	return m
}

// runsIn waits until the Machine is Ready in a cluster, with no move under way.
func (g *traveller) runsIn(cluster string) {
	g.t.Helper()
	eventually.Eventually(g.t, patience, g.key.Name+" runs in "+cluster, func(context.Context) error {
		m := g.machine()
		ready := m.Status.Condition(vitistackv1alpha1.ConditionReady)
		ledger, err := vitistackv1alpha1.LedgerOf(m)
		switch {
		case err != nil:
			return err
		case ready == nil || ready.Status != "True" || m.Status.Phase != vitistackv1alpha1.MachinePhaseRunning:
			return fmt.Errorf("%s, %+v", m.Status.Phase, ready)
		case ledger.Config != cluster || ledger.Move != "" || m.Status.KubevirtConfigRef.Name != cluster ||
			m.Status.MachineID != ledger.VMUID || m.Annotations[vitistackv1alpha1.AnnotationMove] != "":
			return fmt.Errorf("the ledger is %s, the status %+v", ledger, m.Status.KubevirtConfigRef)
		}
		return nil
	})
}

// vm is the Machine's VirtualMachine in a cluster, nil where there is none.
func (g *traveller) vm(cluster string) *kubevirtv1.VirtualMachine {
	g.t.Helper()
	vm := &kubevirtv1.VirtualMachine{}
	err := world.remote[cluster].Get(context.Background(), client.ObjectKey{Namespace: g.key.Namespace, Name: "vm-" + g.key.Name}, vm)
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		g.t.Fatal(err)
	}
	return vm
}

// disks are those of the VirtualMachine in a cluster, by the name of the volume.
func (g *traveller) disks(cluster string) map[string]contents.Disk {
	g.t.Helper()
	all := map[string]contents.Disk{}
	vm := g.vm(cluster)
	if vm == nil {
		g.t.Fatalf("there is no VirtualMachine in %s", cluster)
	}
	for _, volume := range vm.Spec.Template.Spec.Volumes {
		if volume.DataVolume == nil {
			continue
		}
		disk, err := world.clusters[cluster].KubeVirt.Disk(context.Background(), vm.Namespace, volume.DataVolume.Name)
		if err != nil {
			g.t.Fatal(err)
		}
		all[volume.Name] = disk
	}
	return all
}

// write lets the guest write to each of its disks.
func (g *traveller) write(cluster, what string) {
	g.t.Helper()
	for name, disk := range g.disks(cluster) {
		mark := noise(fmt.Sprintf("%s of %s: %s", name, g.key.Name, what))
		if _, err := disk.WriteAt([]byte(mark), 4096); err != nil {
			g.t.Fatal(err)
		}
		g.marks[name] = mark
	}
}

// noise is a text with much after it that cannot be compressed.
func noise(text string) string {
	seed := sha256.Sum256([]byte(text))
	rest := make([]byte, 64<<10)
	_, _ = rand.NewChaCha8(seed).Read(rest) // it never fails
	return text + string(rest)
}

// reads holds that the guest finds in a cluster what it wrote, each disk its own.
func (g *traveller) reads(cluster string) {
	g.t.Helper()
	disks := g.disks(cluster)
	if len(disks) != len(g.marks) {
		g.t.Errorf("%s has %d disks in %s, not %d", g.key.Name, len(disks), cluster, len(g.marks))
	}
	for name, disk := range disks {
		got := make([]byte, len(g.marks[name]))
		if _, err := disk.ReadAt(got, 4096); err != nil {
			g.t.Fatal(err)
		}
		if string(got) != g.marks[name] {
			g.t.Errorf("disk %s in %s has %q, and the guest wrote %q", name, cluster, got[:80], g.marks[name][:80])
		}
	}
}

// moveTo wishes a move.
func (g *traveller) moveTo(target string, change ...func(*vitistackv1alpha1.MachineMove)) {
	g.t.Helper()
	move := &vitistackv1alpha1.MachineMove{
		ObjectMeta: metav1.ObjectMeta{Namespace: g.key.Namespace, GenerateName: "to-" + target + "-"},
		Spec:       vitistackv1alpha1.MachineMoveSpec{MachineName: g.key.Name, To: target},
	}
	for _, each := range change {
		each(move)
	}
	g.create(move)
	g.move = client.ObjectKeyFromObject(move)
}

// wish reads the MachineMove.
func (g *traveller) wish() *vitistackv1alpha1.MachineMove {
	g.t.Helper()
	move := &vitistackv1alpha1.MachineMove{}
	if err := world.supervisor.Get(context.Background(), g.move, move); err != nil {
		g.t.Fatal(err)
	}
	return move
}

// tells waits until the MachineMove is in a phase, with a reason.
func (g *traveller) tells(phase vitistackv1alpha1.MovePhase, reason string) *vitistackv1alpha1.MachineMove {
	g.t.Helper()
	var move *vitistackv1alpha1.MachineMove
	eventually.Eventually(g.t, patience, fmt.Sprintf("the move of %s is %s %s", g.key.Name, phase, reason),
		func(context.Context) error {
			move = g.wish()
			ready := meta.FindStatusCondition(move.Status.Conditions, vitistackv1alpha1.ConditionReady)
			if move.Status.Phase != phase || ready == nil || reason != "" && ready.Reason != reason {
				return fmt.Errorf("it is %s: %+v", move.Status.Phase, ready)
			}
			return nil
		})
	return move
}

// gone waits until a cluster has nothing of the Machine any more.
func (g *traveller) gone(cluster string) {
	g.t.Helper()
	eventually.Eventually(g.t, patience, cluster+" has nothing of "+g.key.Name, func(ctx context.Context) error {
		return nothing(ctx, cluster, g.key.Namespace)
	})
}

// nothing returns what is left in a namespace of a cluster as an error.
func nothing(ctx context.Context, cluster, namespace string) error {
	var left []string
	for _, kind := range []string{"kubevirt.io/v1 VirtualMachine", "kubevirt.io/v1 VirtualMachineInstance",
		"cdi.kubevirt.io/v1beta1 DataVolume", "v1 PersistentVolumeClaim", "export.kubevirt.io/v1beta1 VirtualMachineExport",
		"v1 Secret"} {
		version, name, _ := strings.Cut(kind, " ")
		for _, each := range listed(ctx, cluster, namespace, version, name) {
			left = append(left, name+" "+each)
		}
	}
	if len(left) > 0 {
		return fmt.Errorf("there is %s", strings.Join(left, ", "))
	}
	return nil
}

// listed are the names of a kind in a namespace; an error counts as one.
func listed(ctx context.Context, cluster, namespace, version, kind string) []string {
	list := &metav1.PartialObjectMetadataList{}
	list.APIVersion, list.Kind = version, kind+"List"
	if err := world.remote[cluster].List(ctx, list, client.InNamespace(namespace)); err != nil {
		return []string{err.Error()}
	}
	var names []string
	for _, item := range list.Items {
		names = append(names, item.Name)
	}
	return names
}

// tellLog prints the operator's last lines about a namespace if its test failed.
func tellLog(t *testing.T, namespace string) {
	if !t.Failed() {
		return
	}
	content, err := os.ReadFile(world.operator.Log)
	if err != nil {
		t.Error(err)
	}
	var lines []string
	for line := range strings.Lines(string(content)) {
		if strings.Contains(line, namespace) {
			lines = append(lines, line)
		}
	}
	t.Logf("the operator's log about %s:\n%s", namespace, strings.Join(lines[max(0, len(lines)-60):], ""))
}

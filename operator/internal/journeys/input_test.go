package journeys

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

func seconds(n int) *metav1.Duration {
	return &metav1.Duration{Duration: time.Duration(n) * time.Second}
}

// config reads a KubevirtConfig.
func config(t *testing.T, name string) *vitistackv1alpha1.KubevirtConfig {
	t.Helper()
	c := &vitistackv1alpha1.KubevirtConfig{}
	key := client.ObjectKey{Namespace: fleet.ConfigsNamespace, Name: name}
	if err := world.supervisor.Get(context.Background(), key, c); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestRefusals: what cannot be done is told before anything is stopped, with what helps.
func TestRefusals(t *testing.T) {
	observe(t)
	g := arrive(t, east, "refused", nil)
	before := g.vm(east)
	for name, c := range map[string]struct {
		to, reason, message string
		prepare             func(t *testing.T)
	}{
		"Unknown": {to: "cluster-moon", reason: vitistackv1alpha1.ReasonConfigNotFound, message: "cluster-moon not found"},
		"Same":    {to: east, reason: vitistackv1alpha1.ReasonSameCluster, message: "name another one"},
		"SameUnderAnotherName": {to: "also-east", reason: vitistackv1alpha1.ReasonSameCluster, message: "name another one",
			prepare: func(t *testing.T) {
				other := config(t, east)
				other.ObjectMeta = metav1.ObjectMeta{Namespace: other.Namespace, Name: "also-east"}
				other.Status = vitistackv1alpha1.KubevirtConfigStatus{}
				if err := world.supervisor.Create(t.Context(), other); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = world.supervisor.Delete(context.Background(), other) })
			}},
		"Paused": {to: west, reason: vitistackv1alpha1.ReasonPaused, message: "takes no new Machines",
			prepare: func(t *testing.T) {
				patch(t, world.supervisor, config(t, west), map[string]any{"spec": map[string]any{"paused": true}})
				t.Cleanup(func() {
					patch(t, world.supervisor, config(t, west), map[string]any{"spec": map[string]any{"paused": nil}})
				})
			}},
		"NotAllowed": {to: west, reason: vitistackv1alpha1.ReasonClusterNotAllowed, message: "spec.allowedNamespaces",
			prepare: func(t *testing.T) {
				patch(t, world.supervisor, config(t, west), map[string]any{"spec": map[string]any{
					"allowedNamespaces": map[string]any{"names": []string{"others"}}}})
				t.Cleanup(func() {
					patch(t, world.supervisor, config(t, west), map[string]any{"spec": map[string]any{"allowedNamespaces": nil}})
				})
			}},
		"NotReady": {to: west, reason: vitistackv1alpha1.ReasonTargetNotReady, message: "cannot run in cluster-west",
			prepare: func(t *testing.T) {
				namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: g.key.Namespace}}
				if err := client.IgnoreAlreadyExists(world.remote[west].Create(t.Context(), namespace)); err != nil {
					t.Fatal(err)
				}
				stranger := before.DeepCopy()
				stranger.ObjectMeta = metav1.ObjectMeta{Namespace: g.key.Namespace, Name: before.Name}
				stranger.Spec.DataVolumeTemplates, stranger.Spec.Template.Spec.Volumes = nil, nil
				stranger.Spec.Template.Spec.Domain.Devices.Disks = nil
				halted := stranger.Spec.RunStrategy
				*halted = "Halted"
				if err := world.remote[west].Create(t.Context(), stranger); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = world.remote[west].Delete(context.Background(), stranger) })
			}},
		"Snapshot": {to: west, reason: vitistackv1alpha1.ReasonCannotMove, message: "VirtualMachineSnapshot persons-snapshot",
			prepare: func(t *testing.T) {
				snapshot := &unstructured.Unstructured{Object: map[string]any{
					"apiVersion": "snapshot.kubevirt.io/v1beta1", "kind": "VirtualMachineSnapshot",
					"metadata": map[string]any{"namespace": g.key.Namespace, "name": persons + "snapshot"},
					"spec": map[string]any{"source": map[string]any{
						"apiGroup": "kubevirt.io", "kind": "VirtualMachine", "name": before.Name}},
				}}
				letSnapshot(t)
				eventually.Eventually(t, patience, "snapshots can be made", func(ctx context.Context) error {
					return world.remote[east].Create(ctx, snapshot)
				})
				t.Cleanup(func() { _ = world.remote[east].Delete(context.Background(), snapshot) })
			}},
		"NoExternalLinks": {to: west, reason: vitistackv1alpha1.ReasonExportUnavailable, message: "virt-exportproxy",
			prepare: func(t *testing.T) {
				if err := world.clusters[east].KubeVirt.SetExternalLinks(t.Context(), false); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() {
					if err := world.clusters[east].KubeVirt.SetExternalLinks(context.Background(), true); err != nil {
						t.Error(err)
					}
				})
			}},
	} {
		t.Run(name, func(t *testing.T) {
			g.t = t
			if c.prepare != nil {
				c.prepare(t)
				time.Sleep(2 * time.Second) // the operator sees it
			}
			g.moveTo(c.to)
			move := g.tells(vitistackv1alpha1.MovePhasePending, c.reason)
			if stalled := meta.FindStatusCondition(move.Status.Conditions, "Stalled"); stalled == nil || stalled.Status != "True" ||
				!strings.Contains(stalled.Message, c.message) {
				t.Errorf("Stalled is %+v", stalled)
			}
			if err := world.supervisor.Delete(t.Context(), move); err != nil {
				t.Fatal(err)
			}
		})
	}
	g.t = t
	if diff := cmp.Diff(before.Spec, g.vm(east).Spec); diff != "" {
		t.Errorf("the guest was touched: -before +after:\n%s", diff)
	}
}

// letSnapshot turns KubeVirt's gate for snapshots on, beside those that are on.
func letSnapshot(t *testing.T) {
	t.Helper()
	all := &kubevirtv1.KubeVirtList{}
	if err := world.remote[east].List(t.Context(), all); err != nil || len(all.Items) != 1 {
		t.Fatal(len(all.Items), err)
	}
	gates := append(all.Items[0].Spec.Configuration.DeveloperConfiguration.FeatureGates, "Snapshot")
	patch(t, world.remote[east], &all.Items[0], map[string]any{"spec": map[string]any{"configuration": map[string]any{
		"developerConfiguration": map[string]any{"featureGates": gates}}}})
}

// TestSecondMove: one that is wished while another is under way begins when that is over.
func TestSecondMove(t *testing.T) {
	observe(t)
	g := arrive(t, east, "second-move", nil)
	slowly(t, east, g.key.Namespace)
	g.moveTo(west)
	first := g.move
	g.copies()
	g.moveTo(north)
	second := g.move
	g.tells(vitistackv1alpha1.MovePhasePending, vitistackv1alpha1.ReasonMoveUnderWay)
	world.clusters[east].KubeVirt.SetExportFault(noFault)
	g.move = first
	g.tells(vitistackv1alpha1.MovePhaseSucceeded, "")
	g.move = second
	g.tells(vitistackv1alpha1.MovePhaseSucceeded, "")
	g.runsIn(north)
	g.reads(north)
	g.gone(east)
	g.gone(west)
}

// TestNothingToMove: a Machine that is not there, or has no virtual machine.
func TestNothingToMove(t *testing.T) {
	g := &traveller{t: t, key: client.ObjectKey{Namespace: "nothing-to-move", Name: "nobody"}}
	g.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: g.key.Namespace}})
	g.moveTo(west)
	g.tells(vitistackv1alpha1.MovePhasePending, vitistackv1alpha1.ReasonMachineNotFound)
	g.create(&vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{Namespace: g.key.Namespace, Name: g.key.Name,
			Annotations: map[string]string{vitistackv1alpha1.AnnotationPaused: "true"}},
	})
	g.moveTo(west)
	g.tells(vitistackv1alpha1.MovePhasePending, vitistackv1alpha1.ReasonPaused)
}

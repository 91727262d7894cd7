package metrics_test

import (
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/metrics"
)

func rollout(
	name string, phase vitistackv1alpha1.RolloutPhase, total, updated int32, flying int,
) *vitistackv1alpha1.MachineRollout {
	r := &vitistackv1alpha1.MachineRollout{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
	r.Status.Phase, r.Status.Total, r.Status.Updated = phase, total, updated
	r.Status.InFlight = make([]vitistackv1alpha1.RolloutInFlight, flying)
	return r
}

// TestRollouts: the one that leads counts, and what is over has no Machines left.
func TestRollouts(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := vitistackv1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	supervisor := fake.NewClientBuilder().WithScheme(scheme).WithObjects(
		rollout("new", "", 0, 0, 0),
		rollout("goes", vitistackv1alpha1.RolloutProgressing, 300, 100, 5),
		rollout("stands", vitistackv1alpha1.RolloutPaused, 20, 3, 1),
		rollout("over", vitistackv1alpha1.RolloutSucceeded, 7, 7, 0),
	).Build()
	elected := make(chan struct{})
	registry := prometheus.NewRegistry()
	if err := registry.Register(metrics.NewRollouts(supervisor, elected)); err != nil {
		t.Fatal(err)
	}
	if families, err := registry.Gather(); err != nil || len(families) > 0 {
		t.Errorf("one that does not lead tells %d families, %v", len(families), err)
	}
	close(elected)
	want(t, registry, "operator_rollouts", `
{phase="Aborted"} 0
{phase="Incomplete"} 0
{phase="Paused"} 1
{phase="Progressing"} 1
{phase="Succeeded"} 1`)
	want(t, registry, "operator_rollout_machines", `
{state="in_flight"} 6
{state="left"} 211
{state="updated"} 103`)
}

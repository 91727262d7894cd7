package metrics_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/metrics"
)

// move is one whose step began some time ago.
func move(
	name string, phase vitistackv1alpha1.MovePhase, ago time.Duration, stalled bool,
) *vitistackv1alpha1.MachineMove {
	m := &vitistackv1alpha1.MachineMove{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, UID: types.UID(name)}}
	m.Status.Phase = phase
	if phase != "" {
		m.Status.Steps = []vitistackv1alpha1.MoveStep{{Phase: phase, StartedAt: metav1.NewTime(began.Add(-ago))}}
	}
	if stalled {
		m.Status.Conditions = []metav1.Condition{{Type: vitistackv1alpha1.ConditionStalled, Status: metav1.ConditionTrue}}
	}
	return m
}

func evacuation(name, config string, phase vitistackv1alpha1.EvacuationPhase) *vitistackv1alpha1.Evacuation {
	e := &vitistackv1alpha1.Evacuation{ObjectMeta: metav1.ObjectMeta{Namespace: "configs", Name: name}}
	e.Spec.Config, e.Status.Phase = config, phase
	return e
}

// TestMoves: of several replicas the one that leads counts, and a move stands still where a person
// must act, or where a step takes longer than it may.
func TestMoves(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := vitistackv1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	patient := move("patient", vitistackv1alpha1.MovePhaseStopping, time.Hour, false)
	patient.Spec.Timeouts.Stop = &metav1.Duration{Duration: 2 * time.Hour}
	copying := move("copying", vitistackv1alpha1.MovePhaseCopying, 3*time.Hour, false)
	supervisor := fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(copying).WithObjects(
		patient, copying,
		move("new", "", 0, false),
		move("waits", vitistackv1alpha1.MovePhasePending, 10*time.Hour, false),
		move("refused", vitistackv1alpha1.MovePhasePending, time.Minute, true),
		move("stops", vitistackv1alpha1.MovePhaseStopping, time.Minute, false),
		move("hangs", vitistackv1alpha1.MovePhaseStopping, 6*time.Minute, false),
		move("starts", vitistackv1alpha1.MovePhaseStarting, 6*time.Minute, false),
		move("silent", vitistackv1alpha1.MovePhaseCleaning, time.Hour, false),
		move("moved", vitistackv1alpha1.MovePhaseSucceeded, 9*time.Hour, false),
		move("failed", vitistackv1alpha1.MovePhaseFailed, 9*time.Hour, true),
		evacuation("a", "east", vitistackv1alpha1.EvacuationPaused),
		evacuation("b", "removed", vitistackv1alpha1.EvacuationSucceeded),
		evacuation("elsewhere", "east", ""),
	).Build()
	now, elected := began, make(chan struct{})
	m := metrics.NewMoves(supervisor, elected, fleet{"east": true}.known, func() time.Time { return now })
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(m)
	wantSeries(t, registry, map[string]int{
		"operator_moves": 0, "operator_moves_standing_still": 0, "operator_evacuations": 0, "operator_move_duration_seconds": 2,
	})
	close(elected)
	want(t, registry, "operator_moves", `
		{phase="Aborting"} 0
		{phase="Cleaning"} 1
		{phase="Copying"} 1
		{phase="Failed"} 1
		{phase="Pending"} 3
		{phase="Starting"} 1
		{phase="Stopping"} 3
		{phase="Succeeded"} 1`)
	want(t, registry, "operator_moves_standing_still", `
		{why="Slow"} 2
		{why="Stalled"} 1`)
	want(t, registry, "operator_evacuations", `
		{kubevirt_config="",phase="Incomplete"} 0
		{kubevirt_config="",phase="Moving"} 0
		{kubevirt_config="",phase="Paused"} 0
		{kubevirt_config="",phase="Succeeded"} 1
		{kubevirt_config="east",phase="Incomplete"} 0
		{kubevirt_config="east",phase="Moving"} 0
		{kubevirt_config="east",phase="Paused"} 1
		{kubevirt_config="east",phase="Succeeded"} 0`)

	now = now.Add(19 * time.Minute) // bytes that come late are no bytes that do not come
	before := copying.DeepCopy()
	copying.Status.Copied = 1
	if err := supervisor.Status().Patch(t.Context(), copying, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	stillWant := func(slow string) {
		t.Helper()
		want(t, registry, "operator_moves_standing_still", `{why="Slow"} `+slow+`
			{why="Stalled"} 1`)
	}
	stillWant("4") // with those that stop and start
	now = now.Add(19 * time.Minute)
	stillWant("4")
	now = now.Add(2 * time.Minute)
	stillWant("5")

	m.Ended("east", "west", vitistackv1alpha1.MovePhaseSucceeded, time.Minute)
	m.Ended("east", "west", vitistackv1alpha1.MovePhaseFailed, -time.Minute)
	m.Ended("east", "west", "Nonsense", time.Minute)
	wantSeries(t, registry, map[string]int{"operator_move_duration_seconds": 2})
	lint(t, registry)
	var none *metrics.Moves
	none.Ended("", "", vitistackv1alpha1.MovePhaseFailed, time.Minute)
}

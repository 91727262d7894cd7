package browser

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

const (
	// machineCount and namespaces are what the page has to show.
	machineCount = 2000
	namespaces   = 10
	// hostile is a message that a page which makes something of text would run, as would an attribute
	// or a stream.
	hostile = `<img src=x onerror="window.ran=1"><script>window.ran=1</script> "'> javascript:window.ran=1`
)

// makeMachines creates all Machines and writes their status, as the operator would.
func makeMachines(ctx context.Context) error {
	c := world.fleet.Supervisor.Client()
	for i := range namespaces {
		if err := c.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespaceOf(i)}}); err != nil {
			return err
		}
	}
	var (
		writers sync.WaitGroup
		next    atomic.Int64
		failed  atomic.Pointer[error]
	)
	for range 16 {
		writers.Go(func() {
			for i := int(next.Add(1)) - 1; i < machineCount && failed.Load() == nil; i = int(next.Add(1)) - 1 {
				machine := machineOf(i)
				status := machine.Status
				err := c.Create(ctx, machine)
				if err == nil {
					before := client.MergeFrom(machine.DeepCopy())
					machine.Status = status
					err = c.Status().Patch(ctx, machine, before)
				}
				if err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	writers.Wait()
	if err := failed.Load(); err != nil {
		return errors.Join(*err, ctx.Err())
	}
	return nil
}

func namespaceOf(i int) string {
	return []string{"billing", "buildfarm", "checkout", "data", "identity", "media", "observability", "search", "shop",
		"support"}[i%namespaces]
}

// kindOf is what is the matter with the i-th Machine: most run.
func kindOf(i int) string {
	switch {
	case i == 7:
		return "hostile"
	case i%97 == 3:
		return "failed"
	case i%61 == 5:
		return "unschedulable"
	case i%53 == 9:
		return "stopped"
	case i%83 == 11:
		return "unplaced"
	}
	return "running"
}

// machineOf is the i-th Machine, with its status.
func machineOf(i int) *vitistackv1alpha1.Machine {
	roles := []string{"web", "worker", "database", "cache", "queue"}
	machine := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{
		Namespace: namespaceOf(i), Name: fmt.Sprintf("%s-%04d", roles[i%len(roles)], i),
	}}
	machine.Spec.InstanceType = []string{"small", "medium", "large"}[i%3]
	config := configNames[i%len(configNames)]
	trace := vitistackv1alpha1.PlacementTrace{Config: config, Strategy: "single", Reason: "LeastLoaded"}
	machine.Annotations = map[string]string{vitistackv1alpha1.AnnotationPlacementTrace: trace.String()}
	status := &machine.Status
	status.KubevirtConfigRef = &vitistackv1alpha1.KubevirtConfigReferenceStatus{Name: config}
	status.VMName, status.NodeName = "vm-"+machine.Name, fmt.Sprintf("node-%d", i%12)
	status.PublicIPAddresses = []string{fmt.Sprintf("10.%d.%d.%d", i%5, i/250, i%250)}
	status.Phase, status.State = vitistackv1alpha1.MachinePhaseRunning, "Running"
	ready := metav1.Condition{Status: metav1.ConditionTrue, Reason: vitistackv1alpha1.ReasonReady, Message: "running"}
	placed := metav1.Condition{Status: metav1.ConditionTrue, Reason: vitistackv1alpha1.ReasonPlaced,
		Message: "placed in " + config}
	switch kindOf(i) {
	case "failed":
		status.Phase = vitistackv1alpha1.MachinePhaseFailed
		ready = metav1.Condition{Status: metav1.ConditionFalse, Reason: vitistackv1alpha1.ReasonDiskFailed,
			Message: "the disk root could not be imported: 404 Not Found; correct spec.os.imageID"}
	case "hostile":
		status.Phase = vitistackv1alpha1.MachinePhaseFailed
		ready = metav1.Condition{Status: metav1.ConditionFalse, Reason: vitistackv1alpha1.ReasonRejected, Message: hostile}
	case "unschedulable":
		status.Phase = vitistackv1alpha1.MachinePhasePending
		ready = metav1.Condition{Status: metav1.ConditionFalse, Reason: vitistackv1alpha1.ReasonUnschedulable,
			Message: "0/12 nodes are available: 12 Insufficient memory"}
	case "stopped":
		status.Phase, status.State = vitistackv1alpha1.MachinePhaseStopped, "Stopped"
	case "unplaced":
		*status = vitistackv1alpha1.MachineStatus{Phase: vitistackv1alpha1.MachinePhaseFailed}
		machine.Annotations = nil
		placed = metav1.Condition{Status: metav1.ConditionFalse, Reason: vitistackv1alpha1.ReasonCannotDeterminePlacement,
			Message: "Machine has no KubevirtConfig reference and 5 configs are available - cannot determine placement"}
		ready = placed
	}
	since := metav1.NewTime(time.Now().Add(-time.Duration(i*37%100000) * time.Second))
	ready.Type, placed.Type = vitistackv1alpha1.ConditionReady, vitistackv1alpha1.ConditionPlaced
	ready.LastTransitionTime, placed.LastTransitionTime = since, metav1.NewTime(since.Add(-time.Minute))
	status.SetConditions([]metav1.Condition{ready, placed})
	return machine
}

// countOf is the number of Machines that are so.
func countOf(is func(machine *vitistackv1alpha1.Machine) bool) int {
	count := 0
	for i := range machineCount {
		if is(machineOf(i)) {
			count++
		}
	}
	return count
}

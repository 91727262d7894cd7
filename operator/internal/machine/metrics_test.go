package machine_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/metrics"
)

// TestMetrics: each attempt that fails counts once, however often the Machine is looked at before
// the next one is due, and a virtual machine's first creation is timed, not one that somebody
// consented to later.
func TestMetrics(t *testing.T) {
	w := newWorld(t, []string{east}, newMachine(in(east)))
	known := func(config string) bool { return config == east }
	began := time.Now().Add(-time.Minute)
	times := metrics.NewMachines(known, func(*vitistackv1alpha1.Machine) time.Time { return began })
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(times)

	w.before = fail(creating, forbidden("virtualmachines"))
	for range 3 { // by one process, within the back-off
		if err := w.create(machine.WithMetrics(times)); err != nil {
			t.Fatal(err)
		}
	}
	const failed = "operator_machine_failed_attempts_total"
	if err := testutil.GatherAndCompare(registry, strings.NewReader(`
		# HELP `+failed+` Attempts to bring a Machine further that failed, by the reason of its condition.
		# TYPE `+failed+` counter
		`+failed+`{kubevirt_config="cluster-east",reason="Rejected"} 3
		`), failed); err != nil {
		t.Error(err)
	}
	w.before = nil
	w.mustSettle(machine.WithMetrics(times))
	wantCreations(t, registry, 1)

	gone := w.vms()[east+"/"+vmName]
	w.remove(east, &gone)
	w.editMachine(annotated(vitistackv1alpha1.AnnotationRecreate, string(gone.UID)))
	w.mustSettle(machine.WithMetrics(times))
	if diff := cmp.Diff(at(east).VMs, w.where()); diff != "" {
		t.Errorf("with consent (-want +got):\n%s", diff)
	}
	wantCreations(t, registry, 1)
}

// wantCreations looks for the number of creations, each of which took a minute.
func wantCreations(t *testing.T, registry prometheus.Gatherer, want uint64) {
	t.Helper()
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() != "operator_machine_creation_seconds" {
			continue
		}
		got := family.GetMetric()[0].GetHistogram()
		if got.GetSampleCount() != want || got.GetSampleSum() < 60*float64(want) {
			t.Errorf("%d creations took %v s, want %d of a minute", got.GetSampleCount(), got.GetSampleSum(), want)
		}
		return
	}
	t.Error("no creation was timed")
}

package metrics_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/metrics"
)

var began = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func since(*vitistackv1alpha1.Machine) time.Time { return began }

// fleet are the KubevirtConfigs that there are.
type fleet map[string]bool

func (f fleet) known(config string) bool { return f[config] }

// TestMachines: the series of a cluster begin with it and end with it, and labels are of few words,
// whatever a strategy, a tenant or a removed cluster is called.
func TestMachines(t *testing.T) {
	clusters := fleet{"east": true, "west": true}
	m := metrics.NewMachines(clusters.known, since)
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(m)
	for _, config := range []string{"east", "west", "", "removed"} {
		m.Created(config, &vitistackv1alpha1.Machine{}, began.Add(2*time.Second))
		m.StatusWritten(config, 20*time.Millisecond)
		m.AttemptFailed(config, vitistackv1alpha1.ReasonRetrying)
		m.AttemptFailed(config, "what a strategy "+config+" says")
	}
	want(t, registry, "operator_machine_failed_attempts_total", `
		{kubevirt_config="",reason="Retrying"} 2
		{kubevirt_config="",reason="other"} 2
		{kubevirt_config="east",reason="Retrying"} 1
		{kubevirt_config="east",reason="other"} 1
		{kubevirt_config="west",reason="Retrying"} 1
		{kubevirt_config="west",reason="other"} 1`)
	wantSeries(t, registry, map[string]int{
		"operator_machine_creation_seconds": 3, "operator_machine_status_delay_seconds": 3,
	})

	delete(clusters, "west")
	want(t, registry, "operator_machine_failed_attempts_total", `
		{kubevirt_config="",reason="Retrying"} 2
		{kubevirt_config="",reason="other"} 2
		{kubevirt_config="east",reason="Retrying"} 1
		{kubevirt_config="east",reason="other"} 1`)
	wantSeries(t, registry, map[string]int{
		"operator_machine_creation_seconds": 2, "operator_machine_status_delay_seconds": 2,
	})
	lint(t, registry)

	var none *metrics.Machines
	none.Created("east", nil, began)
	none.StatusWritten("east", 0)
	none.AttemptFailed("east", "")
}

// TestCensus: of several replicas the one that leads counts, and it says so where there is nothing to
// count.
func TestCensus(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := vitistackv1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	supervisor := fake.NewClientBuilder().WithScheme(scheme).WithObjects(
		placed("a", "east", vitistackv1alpha1.MachinePhaseRunning),
		placed("b", "east", vitistackv1alpha1.MachinePhaseRunning),
		placed("c", "east", vitistackv1alpha1.MachinePhaseFailed),
		placed("d", "removed", vitistackv1alpha1.MachinePhaseRunning),
		placed("e", "", ""),
		placed("f", "east", "what another operator calls it"),
		placed("not-ours", "east", vitistackv1alpha1.MachinePhaseRunning),
	).Build()
	elected := make(chan struct{})
	counts := func(machine *vitistackv1alpha1.Machine) bool { return machine.Name != "not-ours" }
	census := metrics.NewCensus(supervisor, elected, fleet{"east": true, "empty": true}.known, counts)
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(census)
	wantSeries(t, registry, map[string]int{"operator_machines": 0})
	close(elected)
	want(t, registry, "operator_machines", `
		{kubevirt_config="",phase="Creating"} 0
		{kubevirt_config="",phase="Failed"} 0
		{kubevirt_config="",phase="Pending"} 1
		{kubevirt_config="",phase="Running"} 1
		{kubevirt_config="",phase="Stopped"} 0
		{kubevirt_config="",phase="Stopping"} 0
		{kubevirt_config="",phase="Terminated"} 0
		{kubevirt_config="",phase="Terminating"} 0
		{kubevirt_config="",phase="Unknown"} 0
		{kubevirt_config="east",phase="Creating"} 0
		{kubevirt_config="east",phase="Failed"} 1
		{kubevirt_config="east",phase="Pending"} 0
		{kubevirt_config="east",phase="Running"} 2
		{kubevirt_config="east",phase="Stopped"} 0
		{kubevirt_config="east",phase="Stopping"} 0
		{kubevirt_config="east",phase="Terminated"} 0
		{kubevirt_config="east",phase="Terminating"} 0
		{kubevirt_config="east",phase="Unknown"} 1`)
	lint(t, registry)

	registry = prometheus.NewPedanticRegistry()
	nobody := fake.NewClientBuilder().WithScheme(scheme).Build()
	registry.MustRegister(metrics.NewCensus(nobody, elected, fleet{}.known, counts))
	wantSeries(t, registry, map[string]int{"operator_machines": 9})
}

// placed is a Machine whose ledger names a cluster, "" for none.
func placed(name, config string, phase vitistackv1alpha1.MachinePhase) client.Object {
	machine := &vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Status:     vitistackv1alpha1.MachineStatus{Phase: phase},
	}
	if config != "" {
		ledger := vitistackv1alpha1.Ledger{Config: config, ClusterUID: "uid", Namespace: "default", VMName: "vm-" + name,
			Nonce: "n"}
		machine.Annotations = map[string]string{vitistackv1alpha1.AnnotationPlacement: ledger.String()}
	}
	return machine
}

// want compares the samples of a metric, each line of which lacks its name.
func want(t *testing.T, registry prometheus.Gatherer, name, samples string) {
	t.Helper()
	text := &strings.Builder{}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		if family.GetName() == name {
			text.WriteString("# HELP " + name + " " + family.GetHelp() + "\n")
			text.WriteString("# TYPE " + name + " " + strings.ToLower(family.GetType().String()) + "\n")
		}
	}
	for line := range strings.Lines(samples) {
		if line = strings.TrimSpace(line); line != "" {
			text.WriteString(name + line + "\n")
		}
	}
	if err := testutil.GatherAndCompare(registry, strings.NewReader(text.String()), name); err != nil {
		t.Error(err)
	}
}

func wantSeries(t *testing.T, registry prometheus.Gatherer, counts map[string]int) {
	t.Helper()
	for name, count := range counts {
		got, err := testutil.GatherAndCount(registry, name)
		if err != nil || got != count {
			t.Errorf("%s has %d series, want %d (%v)", name, got, count, err)
		}
	}
}

// lint holds names and helps to Prometheus' rules.
func lint(t *testing.T, registry prometheus.Gatherer) {
	t.Helper()
	problems, err := testutil.GatherAndLint(registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, problem := range problems {
		t.Errorf("%s: %s", problem.Metric, problem.Text)
	}
}

package startup_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/startup"
)

// take returns the lines since the last call.
func (j *journal) take() []string {
	lines := j.sorted()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = nil
	return lines
}

// TestFollow: upstream never checked a cluster that was added after its start.
func TestFollow(t *testing.T) {
	mock := managing(map[string]client.Client{"east": healthy(t), "west": nil})
	lines := newJournal()
	checks := startup.New(cluster(t, interceptor.Funcs{}, ours(t)...), mock, startup.Options{
		Logger: lines.logger(), Timeout: 50 * time.Millisecond, Interval: time.Millisecond,
	})
	if err := checks.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := lines.take(); len(got) < 8 {
		t.Fatalf("the first run says %v", got)
	}
	follow := func(reason, config string, want ...string) {
		t.Helper()
		state, _ := mock.State(config)
		checks.Follow(t.Context(), config, state)
		if diff := cmp.Diff(want, lines.take()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", reason, diff)
		}
	}
	generation := func(config string, generation int64) {
		mock.AddMockedConfig(&vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Name: config, Generation: generation}})
	}
	const connected = `"level"=0 "msg"="✅ Remote cluster is connected" "kubevirtConfig"=`
	const running = `"level"=0 "msg"="✅ KubeVirt is running" "kubevirtConfig"=`
	matches := func(crd, config string) string {
		return `"level"=0 "msg"="✅ CRD matches the baseline" "kubevirtConfig"="` + config + `" "crd"="` + crd + `.kubevirt.io" "baseline"="east"`
	}
	all := func(config string) []string {
		return []string{
			matches("virtualmachineinstances", config), matches("virtualmachines", config),
			running + `"` + config + `" "version"="v1.8.2"`, connected + `"` + config + `"`,
		}
	}
	follow("nothing changed", "east")
	follow("it is still silent", "west")
	mock.AddMockedClient("west", healthy(t))
	follow("it answers for the first time", "west", all("west")...)
	follow("it answers as before", "west")
	generation("west", 2)
	follow("its KubevirtConfig changed, and nothing else: there is no news", "west")
	mock.SetState(clientmgr.State{Config: "west", Phase: clientmgr.Disconnected, Reason: clientmgr.ReasonUnreachable})
	follow("a cluster that goes away is no matter of a check at start", "west")
	mock.AddMockedClient("north", healthy(t))
	follow("a new one", "north", slices.Insert(all("north"), 3, `"level"=0 "msg"="✅ KubevirtConfigs are available" "count"=3`)...)

	if got := verdicts(t, checks, "north", "connectivity"); got["ok"] != 1 || got["warn"] != 0 {
		t.Errorf("the metric of the new one is %v", got)
	}
	delete(mock.MockedConfigs, "north")
	follow("it goes", "north", `"level"=0 "msg"="✅ KubevirtConfigs are available" "count"=2`)
	if got := verdicts(t, checks, "north", "connectivity"); len(got) != 0 {
		t.Errorf("the metric of one that is gone is %v", got)
	}
}

// verdicts are the metric's values of one check of one cluster.
func verdicts(t *testing.T, checks *startup.Checks, config, check string) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(checks); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			labels := map[string]string{}
			for _, pair := range metric.GetLabel() {
				labels[pair.GetName()] = pair.GetValue()
			}
			if labels["kubevirtConfig"] == config && labels["check"] == check {
				found[labels["verdict"]] = metric.GetGauge().GetValue()
			}
		}
	}
	return found
}

package view

import (
	"encoding/json"
	"testing"
	"unicode/utf8"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// FuzzRows makes the rows of a page of a Machine and a KubevirtConfig that others wrote: no text and
// no list of them is longer than fits, and all of it can be sent.
func FuzzRows(f *testing.F) {
	f.Add([]byte(`{"status":{"phase":"Running","conditions":[{"type":"Placed","status":"True","message":"é"},{"type":"Ready"}]}}`),
		[]byte(`{"status":{"phase":"Degraded","conditions":[{"type":"Connected","status":"False","reason":"Unreachable"}]}}`), 7)
	f.Add([]byte(`{"metadata":{"annotations":{"vitistack.io/placement-trace":"{\"config\":\"east\",\"strategy\":\"default\"}"}}}`),
		[]byte(`{"spec":{"paused":true},"status":{"disconnectedSince":"2026-03-04T05:06:07Z"}}`), 1<<11)
	f.Fuzz(func(t *testing.T, machine, config []byte, often int) {
		m, c := &vitistackv1alpha1.Machine{}, &vitistackv1alpha1.KubevirtConfig{}
		if json.Unmarshal(machine, m) != nil || json.Unmarshal(config, c) != nil {
			return // an API server hands out only what is of its type
		}
		for range max(0, min(often, 3000)) / max(1, len(m.Status.Conditions)) { // whoever writes a status may write much
			m.Status.Conditions = append(m.Status.Conditions, m.Status.Conditions...)
			if len(m.Status.Conditions) == 0 || len(m.Status.Conditions) > 3000 {
				break
			}
		}
		row, cluster := MachineOf(m), ClusterOf(c, Vitals{})
		for _, finding := range append(row.Findings, cluster.Findings...) {
			checkCut(t, finding.Condition, finding.Reason, finding.Message)
		}
		checkCut(t, row.Phase, row.State, row.VM, row.Node, row.Why, row.Class, row.Reason, row.Message, row.Cluster)
		checkCut(t, cluster.Phase, cluster.Connection, cluster.Reason, cluster.Message, cluster.Kubernetes, cluster.KubeVirt)
		checkCut(t, row.Addresses...)
		most := max(len(row.Findings), len(row.Passings), len(row.Addresses))
		if n := max(most, len(cluster.Findings), len(cluster.Passings)); n > MaxList {
			t.Errorf("a list of %d", n)
		}
		for _, each := range []any{row, cluster, MachineChanges(nil, &row, noon), MachineChanges(&row, &row, noon)} {
			if _, err := json.Marshal(each); err != nil {
				t.Errorf("it cannot be sent: %v", err)
			}
		}
		if same := MachineChanges(&row, &row, noon); len(same) > 0 {
			t.Errorf("a row that did not change tells %v", same)
		}
	})
}

func checkCut(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if len(text) > MaxText+len("…") || !utf8.ValidString(text) {
			t.Errorf("%d bytes: %q", len(text), text)
		}
	}
}

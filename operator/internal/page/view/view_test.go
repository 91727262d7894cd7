package view

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func at(minutes int) metav1.Time {
	return metav1.NewTime(noon.Add(time.Duration(minutes) * time.Minute))
}

func machineWith(conditions ...metav1.Condition) *vitistackv1alpha1.Machine {
	machine := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: "blue", Name: "web", CreationTimestamp: at(0)}}
	machine.Status.SetConditions(conditions)
	return machine
}

// TestMachineOf: a row says in the conditions' own words where a Machine is, why, and what is wrong.
func TestMachineOf(t *testing.T) {
	machine := machineWith(
		metav1.Condition{Type: "Ready", Status: "False", Reason: "DiskFailed", Message: "the disk is not there", LastTransitionTime: at(2)},
		metav1.Condition{Type: "Placed", Status: "True", Reason: "Placed", Message: "placed in east", LastTransitionTime: at(1)},
		metav1.Condition{Type: "SomebodyElses", Status: "False", Reason: "Own", LastTransitionTime: at(1)},
	)
	machine.Status.Phase, machine.Status.VMName, machine.Status.NodeName = "Failed", "vm-web", "node-1"
	machine.Status.KubevirtConfigRef = &vitistackv1alpha1.KubevirtConfigReferenceStatus{Name: "east", ClusterUID: "uid"}
	machine.Status.PublicIPAddresses, machine.Status.IPAddresses = []string{"10.0.0.1"}, []string{"10.0.0.1", "10.0.0.2"}
	machine.Spec.InstanceType = "small"
	machine.Annotations = map[string]string{vitistackv1alpha1.AnnotationPlacementTrace: vitistackv1alpha1.PlacementTrace{
		Config: "east", Strategy: "search", Reason: "Found"}.String()}
	info, _ := vitistackv1alpha1.InfoOf("DiskFailed")
	want := Machine{
		Namespace: "blue", Name: "web", Phase: "Failed", Cluster: "east", VM: "vm-web", Node: "node-1",
		Why: "placed in east by strategy search (Found)", Class: "small", Addresses: []string{"10.0.0.1", "10.0.0.2"},
		Ready: "False", Reason: "DiskFailed", Message: "the disk is not there", Since: at(2).Time, Created: at(0).Time,
		Findings: []Finding{
			{Condition: "Ready", Status: "False", Reason: "DiskFailed", Message: "the disk is not there", Since: at(2).Time,
				Acts: vitistackv1alpha1.ActorPerson, Help: info.Help},
			{Condition: "SomebodyElses", Status: "False", Reason: "Own", Since: at(1).Time},
		},
		Passings: []Passing{{"Ready", "False", "DiskFailed", at(2).Time}, {"Placed", "True", "Placed", at(1).Time},
			{"SomebodyElses", "False", "Own", at(1).Time}},
	}
	if diff := cmp.Diff(want, MachineOf(machine)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if info.Help == "" {
		t.Error("the reason has no help: the test looked at nothing")
	}
}

// TestFresh: of a Machine that nobody looked at yet nothing is made up.
func TestFresh(t *testing.T) {
	want := Machine{Namespace: "blue", Name: "web", Phase: "Pending", Ready: "Unknown", Created: at(0).Time}
	if diff := cmp.Diff(want, MachineOf(machineWith())); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestBounded: whoever writes a status writes no more onto the page than fits.
func TestBounded(t *testing.T) {
	long := strings.Repeat("ä", 1<<12)
	conditions := []metav1.Condition{{Type: "Ready", Status: "False", Reason: long, Message: long + "\xff"}}
	for i := range 1000 {
		conditions = append(conditions, metav1.Condition{Type: fmt.Sprint(long, i), Status: "False", LastTransitionTime: at(i)})
	}
	machine := machineWith(conditions...)
	machine.Status.Phase, machine.Status.VMName = vitistackv1alpha1.MachinePhase(long), "\xff\xfe"
	for range 1000 {
		machine.Status.IPAddresses = append(machine.Status.IPAddresses, long+fmt.Sprint(len(machine.Status.IPAddresses)))
	}
	row := MachineOf(machine)
	if len(row.Findings) > MaxList || len(row.Passings) > MaxList || len(row.Addresses) > MaxList {
		t.Errorf("%d findings, %d passings, %d addresses", len(row.Findings), len(row.Passings), len(row.Addresses))
	}
	for _, text := range []string{row.Phase, row.Message, row.Reason, row.VM, row.Addresses[0],
		row.Findings[1].Condition} {
		if len(text) > MaxText+len("…") || !utf8.ValidString(text) {
			t.Errorf("%d bytes, valid %t", len(text), utf8.ValidString(text))
		}
	}
}

// TestClusterOf: a row has nothing of the Secret, and nothing that was not looked at yet.
func TestClusterOf(t *testing.T) {
	latency, since := 2.5, at(3)
	config := &vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Name: "east", CreationTimestamp: at(0)}}
	config.Spec = vitistackv1alpha1.KubevirtConfigSpec{KubeconfigSecretRef: "the-secret", Paused: true}
	config.Status = vitistackv1alpha1.KubevirtConfigStatus{
		Phase: "Degraded", Status: "Disconnected", Message: "no answer", DisconnectedSince: &since, ClusterUID: "uid",
		Versions: vitistackv1alpha1.KubevirtConfigVersions{Kubernetes: "v1.37.2", KubeVirt: "v1.8.2"},
		Conditions: []metav1.Condition{
			{Type: "Connected", Status: "False", Reason: "Unreachable", Message: "no answer", LastTransitionTime: at(3)},
			{Type: "KubeVirtReady", Status: "Unknown", Reason: "NotChecked", LastTransitionTime: at(3)},
		},
	}
	info, _ := vitistackv1alpha1.InfoOf("Unreachable")
	want := Cluster{
		Name: "east", Phase: "Degraded", Connection: "Disconnected", Reason: "Unreachable", Message: "no answer",
		Since: at(3).Time, DisconnectedSince: at(3).Time, Paused: true, Kubernetes: "v1.37.2", KubeVirt: "v1.8.2",
		Vitals: Vitals{LatencyMillis: &latency}, Created: at(0).Time,
		Findings: []Finding{{Condition: "Connected", Status: "False", Reason: "Unreachable", Message: "no answer",
			Since: at(3).Time, Acts: info.Acts, Help: info.Help}},
		Passings: []Passing{{"Connected", "False", "Unreachable", at(3).Time}, {"KubeVirtReady", "Unknown", "NotChecked", at(3).Time}},
	}
	got := ClusterOf(config, Vitals{LatencyMillis: &latency})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if strings.Contains(fmt.Sprintf("%+v", got), "the-secret") {
		t.Error("the row names the Secret")
	}
}

// TestHistory: what rows remember and what was seen is told once, the newest first.
func TestHistory(t *testing.T) {
	before := MachineOf(machineWith(metav1.Condition{Type: "Ready", Status: "False", Reason: "Creating", LastTransitionTime: at(1)}))
	now := MachineOf(machineWith(metav1.Condition{Type: "Ready", Status: "True", Reason: "Ready", LastTransitionTime: at(2)}))
	now.Phase = "Running"
	seen := MachineChanges(&before, &now, noon.Add(2*time.Minute))
	wantSeen := []Change{
		{At: at(2).Time, Kind: "Machine", Namespace: "blue", Name: "web", What: "Phase", Before: "Pending", Now: "Running"},
		{At: at(2).Time, Kind: "Machine", Namespace: "blue", Name: "web", What: "Ready", Before: "False", Now: "True", Reason: "Ready"},
	}
	if diff := cmp.Diff(wantSeen, seen); diff != "" {
		t.Errorf("seen: -want +got:\n%s", diff)
	}
	cluster := Cluster{Name: "east", Created: at(0).Time, Passings: []Passing{
		{"Connected", "True", "Connected", at(5).Time}, {"KubeVirtReady", "Unknown", "NotChecked", at(6).Time}}}
	got := History([]Cluster{cluster}, []Machine{now}, seen, 4)
	var told []string
	for _, change := range got {
		told = append(told, fmt.Sprintf("%s %s %s", change.Name, change.What, change.Now))
	}
	want := []string{"east Connected True", "web Phase Running", "web Ready True", "east Created "}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, tc := range []struct {
		before, now *Cluster
		want        string
	}{{nil, &cluster, Created}, {&cluster, nil, Gone}} {
		if changes := ClusterChanges(tc.before, tc.now, noon); len(changes) != 1 || changes[0].What != tc.want {
			t.Errorf("it is told as %+v, want %s", changes, tc.want)
		}
	}
}

// TestComplete: Machines are counted where they are, and rows are in order.
func TestComplete(t *testing.T) {
	fleet := Fleet{
		Clusters: []Cluster{{Name: "west"}, {Name: "east"}},
		Machines: []Machine{
			{Namespace: "b", Name: "1", Cluster: "east", Phase: "Running"}, {Namespace: "a", Name: "2", Cluster: "east", Phase: "Failed"},
			{Namespace: "a", Name: "1", Cluster: "east", Phase: "Running"}, {Namespace: "c", Name: "1", Cluster: "gone", Phase: "Running"},
		},
	}
	fleet.Complete(nil)
	if diff := cmp.Diff(map[string]int{"Running": 2, "Failed": 1}, fleet.Clusters[0].Machines); diff != "" || fleet.Clusters[0].Name != "east" {
		t.Errorf("%s has: -want +got:\n%s", fleet.Clusters[0].Name, diff)
	}
	if len(fleet.Clusters[1].Machines) != 0 || fleet.Machines[0].Name != "1" || fleet.Machines[0].Namespace != "a" {
		t.Errorf("%+v", fleet)
	}
}

package status

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
)

var update = flag.Bool("update", false, "write the golden files instead of comparing with them")

var now = time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)

func ago(age time.Duration) metav1.Time { return metav1.Time{Time: now.Add(-age)} }

// condition is one that came to be ten minutes ago.
func condition(of, status, reason, message string) vitistackv1alpha1.MachineCondition {
	return vitistackv1alpha1.MachineCondition{
		Type: of, Status: metav1.ConditionStatus(status), Reason: reason, Message: message,
		LastTransitionTime: ago(10 * time.Minute),
	}
}

// web is a Machine that is placed in east.
func web(
	phase vitistackv1alpha1.MachinePhase, conditions ...vitistackv1alpha1.MachineCondition,
) *vitistackv1alpha1.Machine {
	ledger := vitistackv1alpha1.Ledger{
		Config: "east", ClusterUID: "east-uid", Namespace: "team-a", VMName: "vm-web", VMUID: "vm-uid", Nonce: "nonce",
	}
	return &vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "team-a", Name: "web", Generation: 2, CreationTimestamp: ago(time.Hour),
			Annotations: map[string]string{
				vitistackv1alpha1.AnnotationPlacement:      ledger.String(),
				vitistackv1alpha1.AnnotationPlacementTrace: `{"config":"east","strategy":"annotation","reason":"it names east"}`,
			},
		},
		Status: vitistackv1alpha1.MachineStatus{ObservedGeneration: 2, Phase: phase, Conditions: conditions},
	}
}

// east is the KubevirtConfig of a cluster whose connection is as it says.
func east(status metav1.ConditionStatus, reason, message string) *vitistackv1alpha1.KubevirtConfig {
	config := &vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Name: "east"}}
	config.Status.Versions = vitistackv1alpha1.KubevirtConfigVersions{Kubernetes: "v1.37.2", KubeVirt: "v1.8.2"}
	config.Status.Conditions = []metav1.Condition{{
		Type: vitistackv1alpha1.ConditionConnected, Status: status, Reason: reason, Message: message,
		LastTransitionTime: ago(2 * time.Hour),
	}}
	return config
}

// running is the remote side of a Machine whose second disk is still being filled.
func running(v *View) *View {
	always := kubevirtv1.RunStrategyAlways
	v.VM = &kubevirtv1.VirtualMachine{ObjectMeta: metav1.ObjectMeta{
		Namespace: "team-a", Name: "vm-web", CreationTimestamp: ago(50 * time.Minute),
	}}
	v.VM.Spec.RunStrategy = &always
	v.VM.Status.PrintableStatus = kubevirtv1.VirtualMachineStatusRunning
	volume := func(name, claim string) kubevirtv1.Volume {
		return kubevirtv1.Volume{Name: name, VolumeSource: kubevirtv1.VolumeSource{
			DataVolume: &kubevirtv1.DataVolumeSource{Name: claim},
		}}
	}
	v.VM.Spec.Template = &kubevirtv1.VirtualMachineInstanceTemplateSpec{Spec: kubevirtv1.VirtualMachineInstanceSpec{
		Volumes: []kubevirtv1.Volume{
			volume("root", "vm-web-root"), volume("data", "vm-web-data"), volume("late", "vm-web-late"),
			{Name: "init", VolumeSource: kubevirtv1.VolumeSource{CloudInitNoCloud: &kubevirtv1.CloudInitNoCloudSource{}}},
		},
		Networks: []kubevirtv1.Network{*kubevirtv1.DefaultPodNetwork()},
		Domain: kubevirtv1.DomainSpec{Devices: kubevirtv1.Devices{Interfaces: []kubevirtv1.Interface{
			{Name: "default", MacAddress: "02:00:00:00:00:01"},
		}}},
	}}
	v.VMI = &kubevirtv1.VirtualMachineInstance{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: ago(9 * time.Minute)}}
	v.VMI.Status.Phase, v.VMI.Status.NodeName = kubevirtv1.Running, "node-1"
	v.VMI.Status.Interfaces = []kubevirtv1.VirtualMachineInstanceNetworkInterface{{Name: "default", IPs: []string{"10.1.2.3"}}}
	claim := &corev1.PersistentVolumeClaim{}
	claim.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("10Gi")}
	claim.Status.Phase = corev1.ClaimBound
	done, filling := &cdiv1beta1.DataVolume{}, &cdiv1beta1.DataVolume{}
	done.Status.Phase = cdiv1beta1.Succeeded
	filling.Status.Phase, filling.Status.Progress = cdiv1beta1.ImportInProgress, "45.20%"
	v.Disks = map[string]Disk{
		"vm-web-root": {DataVolume: done, Claim: claim}, "vm-web-data": {DataVolume: filling, Claim: claim},
	}
	v.RemoteEvents = []Event{{At: now.Add(-time.Minute), Warning: true, Reason: "Migrated", Message: "The node\nwas drained"}}
	return v
}

// views are situations as people meet them.
func views() map[string]*View {
	ready := condition("Ready", "True", "Ready", "")
	silent := condition("Ready", "Unknown", "Unreachable", "cluster east has not answered for 10m")
	return map[string]*View{
		"running": running(&View{
			Machine: web(vitistackv1alpha1.MachinePhaseRunning, ready, condition("Placed", "True", "Placed", "")),
			Config:  east(metav1.ConditionTrue, "Connected", ""),
			Events:  []Event{{At: now.Add(-time.Hour), Reason: "Placed", Message: "Placed in east"}},
		}),
		"unreachable": {
			Machine: web(vitistackv1alpha1.MachinePhaseRunning, silent, condition("Placed", "True", "Placed", "")),
			Config:  east(metav1.ConditionFalse, "Unreachable", "no answer in time"),
			Missing: []string{"the remote cluster east: dial tcp: i/o timeout"},
		},
		"moving": {
			Machine: moved(web(vitistackv1alpha1.MachinePhaseStopping,
				condition("Ready", "False", "Moving", "it goes from east to west: MachineMove web-to-west says how far that is"),
				condition("Placed", "True", "Placed", ""))),
			Config: east(metav1.ConditionTrue, "Connected", ""),
		},
		"unplaced": {Machine: &vitistackv1alpha1.Machine{
			ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "new", Generation: 1, CreationTimestamp: ago(time.Minute)},
		}},
	}
}

// moved lets a move of a Machine to west be under way.
func moved(machine *vitistackv1alpha1.Machine) *vitistackv1alpha1.Machine {
	from, err := vitistackv1alpha1.LedgerOf(machine)
	if err != nil {
		panic(err)
	}
	to := from
	to.Config, to.ClusterUID, to.VMUID, to.Nonce = "west", "west-uid", "", "another"
	record := vitistackv1alpha1.MoveRecord{ID: "move-uid", Name: "web-to-west", Mode: vitistackv1alpha1.MoveModeCold,
		Stage: vitistackv1alpha1.MoveBegun, Was: "Always", From: from, To: to}
	machine.Annotations[vitistackv1alpha1.AnnotationMove] = record.String()
	machine.Annotations[vitistackv1alpha1.AnnotationPlacement] = record.Place().String()
	return machine
}

func TestTree(t *testing.T) {
	for name, view := range views() {
		t.Run(name, func(t *testing.T) {
			view.Now = now
			var out bytes.Buffer
			if err := tree(view, paint{}).draw(&out); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), out.String()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestPaint: colour is on a terminal alone, and takes nothing away.
func TestPaint(t *testing.T) {
	view := views()["running"]
	view.Now = now
	var plain, coloured bytes.Buffer
	if err := tree(view, paintFor(&plain)).draw(&plain); err != nil {
		t.Fatal(err)
	}
	if err := tree(view, paint{on: true}).draw(&coloured); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(plain.String(), "\x1b") {
		t.Errorf("what is no terminal gets colours: %q", plain.String())
	}
	if !strings.Contains(coloured.String(), "\x1b[32mRunning\x1b[") {
		t.Errorf("a terminal gets none: %q", coloured.String())
	}
}

func TestCodeOf(t *testing.T) {
	for name, want := range map[string]int{"running": exit.Fine, "unreachable": exit.Partial, "unplaced": exit.Partial} {
		if got := codeOf(views()[name]); got != want {
			t.Errorf("%s: %d, want %d", name, got, want)
		}
	}
	failed := &View{Machine: web(vitistackv1alpha1.MachinePhaseFailed, condition("Ready", "False", "Rejected", ""))}
	if got := codeOf(failed); got != exit.Negative {
		t.Errorf("a Machine that failed: %d", got)
	}
}

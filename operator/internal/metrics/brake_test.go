package metrics

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// TestBites: held Machines are counted by cluster, by who leads alone, and bites by scope.
func TestBites(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := vitistackv1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	held := func(name, condition, reason string) *vitistackv1alpha1.Machine {
		ledger := vitistackv1alpha1.Ledger{Config: "east", Namespace: "team", VMName: "vm-" + name, Nonce: "n"}
		m := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: name,
			Annotations: map[string]string{vitistackv1alpha1.AnnotationPlacement: ledger.String()}}}
		m.Status.SetCondition(metav1.Condition{Type: condition, Status: "True", Reason: reason})
		return m
	}
	machines := fake.NewClientBuilder().WithScheme(scheme).WithObjects(
		held("a", vitistackv1alpha1.ConditionDeletionHeld, vitistackv1alpha1.ReasonDeletionHeld),
		held("b", vitistackv1alpha1.ConditionDeletionHeld, vitistackv1alpha1.ReasonDeletionHeld),
		held("c", vitistackv1alpha1.ConditionDeletionHeld, vitistackv1alpha1.ReasonDeletionReleased),
		held("d", vitistackv1alpha1.ConditionVirtualMachineReady, vitistackv1alpha1.ReasonChangeHeld),
	).Build()
	elected := make(chan struct{})
	bites := NewBites(NewCensus(machines, elected, func(string) bool { return true },
		func(*vitistackv1alpha1.Machine) bool { return true }))
	if got := testutil.CollectAndCount(bites, "operator_machine_deletions_held", "operator_machine_changes_held"); got != 0 {
		t.Errorf("who does not lead has %d series of who is held", got)
	}
	close(elected)
	bites.Bit("deletion", "cluster")
	bites.Bit("deletion", "cluster")
	want := `
# HELP operator_brake_bites_total ` + "How often the brake began to hold, by what it held and by the scope " +
		"of which too many would have gone." + `
# TYPE operator_brake_bites_total counter
operator_brake_bites_total{kind="change",scope="cluster"} 0
operator_brake_bites_total{kind="change",scope="fleet"} 0
operator_brake_bites_total{kind="change",scope="namespace"} 0
operator_brake_bites_total{kind="deletion",scope="cluster"} 2
operator_brake_bites_total{kind="deletion",scope="fleet"} 0
operator_brake_bites_total{kind="deletion",scope="namespace"} 0
operator_brake_bites_total{kind="restart",scope="cluster"} 0
operator_brake_bites_total{kind="restart",scope="fleet"} 0
operator_brake_bites_total{kind="restart",scope="namespace"} 0
# HELP operator_machine_changes_held Machines whose change is held until a person lets it go.
# TYPE operator_machine_changes_held gauge
operator_machine_changes_held{kubevirt_config=""} 0
operator_machine_changes_held{kubevirt_config="east"} 1
# HELP operator_machine_deletions_held Machines whose deletion is held until a person lets it go.
# TYPE operator_machine_deletions_held gauge
operator_machine_deletions_held{kubevirt_config=""} 0
operator_machine_deletions_held{kubevirt_config="east"} 2
`
	if err := testutil.CollectAndCompare(bites, strings.NewReader(want)); err != nil {
		t.Error(err)
	}
	var nobody *Bites
	nobody.Bit("deletion", "cluster")
}

package custody_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
)

// hotPaths are the questions to the judge that each pass asks, and how often one may allocate. Times
// are the machine's; allocations are ours. What a whole pass may allocate at rest,
// machine.TestCostOfRest holds.
var hotPaths = map[string]struct {
	reason string
	allocs float64
	begin  func() func()
}{
	"Read": {
		reason: "each pass reads the record of its Machine", allocs: 196,
		begin: func() func() {
			machine := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{
				Namespace: "team", Name: "web", UID: machineUID,
				Annotations: map[string]string{vitistackv1alpha1.AnnotationPlacement: ledger().String()},
				Finalizers:  []string{vitistackv1alpha1.FinalizerMachine},
			}}
			machine.Status.MachineID = "vm-1"
			return func() { custody.Read(machine, true, providerID, nil) }
		},
	},
	"Relation": {
		reason: "each pass asks whether what the cache shows is the Machine's", allocs: 0,
		begin: func() func() {
			look := east(original())
			c := custody.Case{Machine: web(), Record: recorded(ledger()), Looks: []custody.Look{look}}
			return func() { c.Relation(look, look.Found[0]) }
		},
	},
	"Find": {
		reason: "a pass after a live look asks what was found", allocs: 6,
		begin: func() func() {
			c := custody.Case{Machine: web(), Record: recorded(ledger()), Looks: []custody.Look{east(original())}}
			return func() { c.Find() }
		},
	},
}

// TestHotPaths fails when a path allocates more than it did. Who has a reason raises the bound.
func TestHotPaths(t *testing.T) {
	for name, path := range hotPaths {
		t.Run(name, func(t *testing.T) {
			if got := testing.AllocsPerRun(100, path.begin()); got > path.allocs {
				t.Errorf("%s: %v allocations, the bound is %v", path.reason, got, path.allocs)
			}
		})
	}
}

func BenchmarkHotPaths(b *testing.B) {
	for name, path := range hotPaths {
		b.Run(name, func(b *testing.B) {
			do := path.begin()
			b.ReportAllocs()
			for b.Loop() {
				do()
			}
		})
	}
}

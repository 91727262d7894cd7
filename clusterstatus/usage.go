package clusterstatus

import (
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// maxNames is the number of Machines that are named.
const maxNames = 5

// Usage are the Machines that are placed in a cluster.
type Usage struct {
	// Count is their number.
	Count int
	// Names are the first five, as namespace/name, sorted.
	Names []string
}

// usageOf counts and names Machines. names is sorted in place.
func usageOf(names []string) Usage {
	slices.Sort(names)
	return Usage{Count: len(names), Names: slices.Clone(names[:min(maxNames, len(names))])}
}

// blocking says what a deletion waits for.
func (u Usage) blocking() string {
	machines, more := "Machines", ""
	if u.Count == 1 {
		machines = "Machine"
	}
	if rest := u.Count - len(u.Names); rest > 0 {
		more = fmt.Sprintf(" and %d more", rest)
	}
	return fmt.Sprintf("being deleted; waits for %d %s placed here: %s%s", u.Count, machines, strings.Join(u.Names, ", "), more)
}

// refersTo returns the KubevirtConfig that a Machine is placed by. A ledger that cannot be read is taken at the word of the annotation that
// is written together with it: the way into a cluster is not thrown away for a slip of the pen.
func refersTo(machine client.Object) string {
	annotations := machine.GetAnnotations()
	recorded := annotations[vitistackv1alpha1.AnnotationPlacement]
	if ledger, err := vitistackv1alpha1.ParseLedger(recorded); err == nil {
		return ledger.Config
	}
	if recorded == "" && !controllerutil.ContainsFinalizer(machine, vitistackv1alpha1.FinalizerMachine) {
		return ""
	}
	return annotations[vitistackv1alpha1.AnnotationKubevirtConfig]
}

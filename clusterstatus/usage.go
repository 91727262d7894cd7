package clusterstatus

import (
	"fmt"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

// maxNames is the number of Machines that are named.
const maxNames = 5

// Usage are the Machines that are placed in a cluster, or the virtual machines that are owed to it.
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
	machines := "Machines"
	if u.Count == 1 {
		machines = "Machine"
	}
	return fmt.Sprintf("being deleted; waits for %d %s placed here: %s", u.Count, machines, u.list())
}

// owing says which debts a deletion waits for, and how a person gives them up.
func (u Usage) owing() string {
	return fmt.Sprintf("being deleted; waits until the cluster answers and these virtual machines are deleted there: %s; "+
		"to give one up take its entry out of ConfigMap %s", u.list(), vitistackv1alpha1.DebtsConfigMap)
}

// list is the names, and how many more there are.
func (u Usage) list() string {
	list := strings.Join(u.Names, ", ")
	if rest := u.Count - len(u.Names); rest > 0 {
		list += fmt.Sprintf(" and %d more", rest)
	}
	return list
}

// refersTo returns the KubevirtConfigs that a Machine is placed by: two while it is moved. A ledger
// that cannot be read is taken at the word of the annotation that is written together with it: the
// way into a cluster is not thrown away for a slip of the pen.
func refersTo(machine client.Object) []string {
	annotations := machine.GetAnnotations()
	recorded := annotations[vitistackv1alpha1.AnnotationPlacement]
	if _, err := vitistackv1alpha1.LedgerOf(machine); err == nil {
		return clientmgr.ByConfig(machine)
	}
	if recorded == "" && !controllerutil.ContainsFinalizer(machine, vitistackv1alpha1.FinalizerMachine) {
		return nil
	}
	return []string{annotations[vitistackv1alpha1.AnnotationKubevirtConfig]}
}

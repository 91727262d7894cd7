package observer

import (
	"cmp"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// stolen finds VirtualMachines that the operator took over and that are somebody else's: a controller
// owns them, or another supervisor made them (I9). What counts is how they were when they were seen
// first: the operator's own labels follow.
func stolen(s seen) []Violation {
	var found []Violation
	for _, l := range s.lives {
		if l.Resource != virtualMachines || s.options.isOperators(s.creator(l)) {
			continue
		}
		r, adopted := s.adopted(l)
		supervisor := l.First.GetLabels()[vitistackv1alpha1.LabelSupervisorUID]
		problem := ""
		switch {
		case !adopted:
		case metav1.GetControllerOf(l.First) != nil:
			problem = "it was adopted, and a controller owns it"
		case supervisor != "" && supervisor != cmp.Or(s.options.SupervisorID, s.clusterUIDs[fleet.Supervisor]):
			problem = "it was adopted, and another supervisor made it"
		}
		if problem != "" {
			found = append(found, Violation{Invariant: "I9", Cluster: l.Cluster, Object: l.object(), At: r.At, Message: problem,
				about: []types.UID{l.UID, r.Machine}})
		}
	}
	return found
}

// adopted is the record that names a VirtualMachine by its UID.
func (s seen) adopted(vm life) (record, bool) {
	for _, r := range s.records {
		if r.VMUID == string(vm.UID) {
			return r, true
		}
	}
	return record{}, false
}

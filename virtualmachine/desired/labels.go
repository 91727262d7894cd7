package desired

import (
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Labels are the labels of everything that is made for one Machine, as a new map: who made it, and
// for which Machine of which supervisor. Owner references would mean nothing in another cluster,
// and worse: garbage collection there would delete by them.
func Labels(machine *vitistackv1alpha1.Machine, options Options) map[string]string {
	return map[string]string{
		vitistackv1alpha1.LabelManagedBy:     options.managedBy(),
		vitistackv1alpha1.LabelSourceMachine: LabelValue(machine.Name),
		vitistackv1alpha1.LabelMachineUID:    LabelValue(string(machine.UID)),
		vitistackv1alpha1.LabelSupervisorUID: LabelValue(options.SupervisorUID),
	}
}

// IsFormers reports whether an object of these labels was made by this supervisor for another
// Machine of this one's name: one that was deleted, or that came back from a backup with a new UID.
// The name alone is no proof of either.
func IsFormers(labels map[string]string, machine *vitistackv1alpha1.Machine, options Options) bool {
	mine := Labels(machine, options)
	uid := labels[vitistackv1alpha1.LabelMachineUID]
	return options.SupervisorUID != "" && uid != "" && uid != mine[vitistackv1alpha1.LabelMachineUID] &&
		labels[vitistackv1alpha1.LabelSupervisorUID] == mine[vitistackv1alpha1.LabelSupervisorUID] &&
		labels[vitistackv1alpha1.LabelSourceMachine] == mine[vitistackv1alpha1.LabelSourceMachine]
}

// SupervisorLabels returns the labels by which everything that this supervisor made is selected, as
// a new map. The value is the one that [Labels] writes: a selector with the plain identity would
// miss everything where that had to be shortened.
func SupervisorLabels(supervisorUID string) map[string]string {
	return map[string]string{vitistackv1alpha1.LabelSupervisorUID: LabelValue(supervisorUID)}
}

// CheckSupervisorUID returns a [*Refusal] of reason InvalidSpec where an identity (--supervisor-id)
// cannot stand in a label.
func CheckSupervisorUID(supervisorUID string) error {
	if supervisorUID == "" {
		return invalid("the identity of the supervisor is empty")
	}
	if problems := validation.IsValidLabelValue(LabelValue(supervisorUID)); len(problems) > 0 {
		return invalid("the identity of the supervisor %q cannot stand in a label: %s", supervisorUID,
			strings.Join(problems, "; "))
	}
	return nil
}

// LabelValue makes a name fit into a label: up to 63 characters it stays as it is, else it is cut
// and ends in a hash of the whole. Different names get different values.
func LabelValue(name string) string {
	if len(name) <= validation.LabelValueMaxLength && !shortened.MatchString(name) {
		return name
	}
	return cut(name, validation.LabelValueMaxLength-nameDigest-1) + "-" + digest(name, nameDigest)
}

// IsOurs reports whether an object of these labels was made by this supervisor for the Machine of
// this UID: the only objects that may be changed or deleted without further consent.
func IsOurs(labels map[string]string, machineUID types.UID, supervisorUID string) bool {
	return machineUID != "" && supervisorUID != "" &&
		labels[vitistackv1alpha1.LabelMachineUID] == LabelValue(string(machineUID)) &&
		labels[vitistackv1alpha1.LabelSupervisorUID] == LabelValue(supervisorUID)
}

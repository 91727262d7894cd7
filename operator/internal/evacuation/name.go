package evacuation

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// maxMachineInName leaves room for what follows it, in a name that fits where labels do.
const maxMachineInName = 52

// NameOf is the name of the MachineMove that an Evacuation makes for a Machine. It follows from the
// UIDs of both: a Machine that is made anew under its name gets another one.
func NameOf(evacuation *vitistackv1alpha1.Evacuation, machine *vitistackv1alpha1.Machine) string {
	sum := sha256.Sum256([]byte(string(evacuation.UID) + "/" + string(machine.UID)))
	name := machine.Name
	if len(name) > maxMachineInName {
		name = strings.TrimRight(name[:maxMachineInName], "-.")
	}
	return name + "-" + hex.EncodeToString(sum[:5])
}

// MoveFor is the MachineMove that an Evacuation makes for a Machine.
func MoveFor(
	evacuation *vitistackv1alpha1.Evacuation, machine *vitistackv1alpha1.Machine,
) *vitistackv1alpha1.MachineMove {
	move := &vitistackv1alpha1.MachineMove{}
	move.Namespace, move.Name = machine.Namespace, NameOf(evacuation, machine)
	move.Labels = map[string]string{vitistackv1alpha1.LabelEvacuation: string(evacuation.UID)}
	move.Spec.MachineName, move.Spec.Mode = machine.Name, evacuation.Spec.Mode
	return move
}

// belongs reports whether a MachineMove was made for an Evacuation.
func belongs(move *vitistackv1alpha1.MachineMove, evacuation *vitistackv1alpha1.Evacuation) bool {
	return move.Labels[vitistackv1alpha1.LabelEvacuation] == string(evacuation.UID)
}

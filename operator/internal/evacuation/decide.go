package evacuation

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/summary"
)

const (
	// defaultMaxInFlight is spec.maxInFlight where a definition has no default.
	defaultMaxInFlight = 4
	// maxListed bounds status.stays.
	maxListed = 50
	// maxListedMessage bounds the message of each of them, in bytes.
	maxListedMessage = 512
)

// Facts are what an Evacuation is decided on. Nothing of them is changed.
type Facts struct {
	Evacuation *vitistackv1alpha1.Evacuation
	// Here are the chosen Machines whose ledger names the cluster.
	Here []*vitistackv1alpha1.Machine
	// Away are Machines that MachineMoves of the Evacuation took elsewhere. They matter to
	// spec.maxUnavailable alone.
	Away []*vitistackv1alpha1.Machine
	// Moves are the MachineMoves of the Evacuation, and those of others that are not over.
	Moves []*vitistackv1alpha1.MachineMove
	// Refused are the Machines for which no MachineMove could be made just now, and what the server
	// said.
	Refused map[types.UID]string
	Now     time.Time
}

// Decision is what follows from Facts.
type Decision struct {
	// Queue are the Machines that wait for their turn, in their order, and Room is how many of them may
	// get a MachineMove now.
	Queue []*vitistackv1alpha1.Machine
	Room  int
	// Status is the new status, without conditions. Reason and Message are those of Ready.
	Status          vitistackv1alpha1.EvacuationStatus
	Reason, Message string
	// Settling says that the facts do not agree yet, and are to be looked at again.
	Settling bool
}

// Decide says which Machines may go now, and how far the Evacuation is.
func Decide(f Facts) Decision {
	s := f.sort()
	d := Decision{Queue: ordered(s.waiting, f.Evacuation.Spec.Order), Settling: s.settling}
	d.Status = vitistackv1alpha1.EvacuationStatus{
		ObservedGeneration: f.Evacuation.Generation,
		Total:              int32(len(f.Here) + s.moved + s.leaving),
		Moved:              int32(s.moved),
		Moving:             int32(s.moving),
		Left:               int32(len(f.Here)),
		Stays:              s.listed(),
	}
	d.verdict(f, s)
	return d
}

// sorted are the Machines by what becomes of them.
type sorted struct {
	waiting []*vitistackv1alpha1.Machine
	listing []judged // with a reason
	failed  []judged
	// going is how many are on their way out, moving how many moves are under way, leaving how many of
	// these have left the cluster, and moved how many are at their target.
	going, moving, leaving, moved int
	// busy are the Machines that a move under way makes unavailable, or soon will.
	busy     map[types.NamespacedName]bool
	settling bool
}

func (f Facts) sort() sorted {
	own, others := f.moves()
	s := sorted{busy: map[types.NamespacedName]bool{}}
	for _, machine := range f.Here {
		key := keyOf(machine.Namespace, NameOf(f.Evacuation, machine))
		j := judge(machine, own[key], others[keyOf(machine.Namespace, machine.Name)], f.Now)
		if said, isRefused := f.Refused[machine.UID]; isRefused && j.fate == waits {
			j.fate, j.reason, j.message = stays, vitistackv1alpha1.ReasonSupervisorRefused, said
		}
		delete(own, key)
		s.take(j)
	}
	for _, move := range own { // of Machines that are not here any more
		switch {
		case move.Status.Phase == vitistackv1alpha1.MovePhaseSucceeded:
			s.moved++
		case underWay(move):
			s.moving++
			s.leaving++
			s.busy[keyOf(move.Namespace, move.Spec.MachineName)] = true
		}
	}
	return s
}

// moves are those of the Evacuation by their keys, and those of others by their Machines'.
func (f Facts) moves() (own, others map[types.NamespacedName]*vitistackv1alpha1.MachineMove) {
	own, others = map[types.NamespacedName]*vitistackv1alpha1.MachineMove{},
		map[types.NamespacedName]*vitistackv1alpha1.MachineMove{}
	for _, move := range f.Moves {
		if belongs(move, f.Evacuation) {
			own[keyOf(move.Namespace, move.Name)] = move
			continue
		}
		key := keyOf(move.Namespace, move.Spec.MachineName)
		if former := others[key]; !move.Status.Phase.Over() && (former == nil || refused(former)) {
			others[key] = move
		}
	}
	return own, others
}

func (s *sorted) take(j judged) {
	if j.reason != "" {
		s.listing = append(s.listing, j)
	}
	if j.slot {
		s.moving++
		s.busy[keyOf(j.machine.Namespace, j.machine.Name)] = true
	}
	switch j.fate {
	case waits:
		s.waiting = append(s.waiting, j.machine)
	case goes:
		s.going++
		s.settling = s.settling || j.move != nil && j.move.Status.Phase.Over()
	case failed:
		s.failed = append(s.failed, j)
	case stays:
	}
}

// listed are the Machines that stay, by their names.
func (s *sorted) listed() []vitistackv1alpha1.EvacuationLeft {
	slices.SortFunc(s.listing, func(a, b judged) int {
		return cmp.Or(cmp.Compare(a.machine.Namespace, b.machine.Namespace), cmp.Compare(a.machine.Name, b.machine.Name))
	})
	var left []vitistackv1alpha1.EvacuationLeft
	for _, j := range s.listing[:min(len(s.listing), maxListed)] {
		left = append(left, vitistackv1alpha1.EvacuationLeft{
			Machine: j.machine.Namespace + "/" + j.machine.Name, Reason: j.reason,
			Message: summary.Cut(j.message, maxListedMessage),
		})
	}
	return left
}

// verdict fills in the phase, the reason and the room.
func (d *Decision) verdict(f Facts, s sorted) {
	spec := f.Evacuation.Spec
	broken := len(s.failed) > 0 && (spec.PauseOnFailure == nil || *spec.PauseOnFailure)
	unavailable, allowed, limited := f.unavailable(s)
	say := func(phase vitistackv1alpha1.EvacuationPhase, reason, message string, about ...any) {
		d.Status.Phase, d.Reason, d.Message = phase, reason, fmt.Sprintf(message, about...)
	}
	switch {
	case len(f.Here) == 0 && s.moving == 0:
		say(vitistackv1alpha1.EvacuationSucceeded, vitistackv1alpha1.ReasonEvacuated,
			"none of the chosen Machines is in %s", spec.Config)
	case spec.Paused:
		say(vitistackv1alpha1.EvacuationPaused, vitistackv1alpha1.ReasonEvacuationPaused,
			"no further move begins: set spec.paused to false to go on")
	case broken && len(s.waiting)+s.going+s.moving > 0:
		say(vitistackv1alpha1.EvacuationPaused, vitistackv1alpha1.ReasonMoveFailed,
			"no further move begins: mend what is wrong with %s, and delete them to go on", movesOf(s.failed))
	case len(s.waiting)+s.going+s.moving == 0:
		say(vitistackv1alpha1.EvacuationIncomplete, vitistackv1alpha1.ReasonMachinesStay,
			"%s cannot be moved: status.stays says why", namesOf(s.listing))
	case limited && allowed == 0 && len(s.waiting) > 0:
		say(vitistackv1alpha1.EvacuationPaused, vitistackv1alpha1.ReasonEvacuationPaused,
			"no move can begin while spec.maxUnavailable is %s: raise it", spec.MaxUnavailable)
	case limited && unavailable >= allowed && s.moving == 0 && len(s.waiting) > 0:
		say(vitistackv1alpha1.EvacuationMoving, vitistackv1alpha1.ReasonEvacuating,
			"no further move begins before fewer of the Machines are not Ready: spec.maxUnavailable is %s",
			spec.MaxUnavailable)
	default:
		say(vitistackv1alpha1.EvacuationMoving, vitistackv1alpha1.ReasonEvacuating, "Machines leave %s", spec.Config)
	}
	if d.Status.Phase != vitistackv1alpha1.EvacuationMoving {
		return
	}
	d.Room = min(len(s.waiting), int(cmp.Or(spec.MaxInFlight, defaultMaxInFlight))-s.moving)
	if limited {
		d.Room = min(d.Room, allowed-unavailable)
	}
	d.Room = max(0, d.Room)
}

// unavailable is how many of the Machines are not Ready, or soon will be, and how many may be.
func (f Facts) unavailable(s sorted) (count, allowed int, limited bool) {
	most := f.Evacuation.Spec.MaxUnavailable
	if most == nil {
		return 0, 0, false
	}
	all := slices.Concat(f.Here, f.Away)
	for _, machine := range all {
		ready := machine.Status.Condition(vitistackv1alpha1.ConditionReady)
		if ready == nil || ready.Status != metav1.ConditionTrue || s.busy[keyOf(machine.Namespace, machine.Name)] {
			count++
		}
	}
	allowed, err := intstr.GetScaledValueFromIntOrPercent(most, len(all), true)
	if err != nil { // the definition refuses it
		return count, 0, true
	}
	return count, max(0, allowed), true
}

// Stalled says that nothing goes on until a person acts.
func (d Decision) Stalled() bool {
	return d.Status.Phase == vitistackv1alpha1.EvacuationPaused || d.Status.Phase == vitistackv1alpha1.EvacuationIncomplete
}

func movesOf(of []judged) string {
	var names []string
	for _, j := range of {
		names = append(names, j.move.Namespace+"/"+j.move.Name)
	}
	slices.Sort(names)
	return "the MachineMoves " + summary.Few(names)
}

func namesOf(of []judged) string {
	var names []string
	for _, j := range of {
		names = append(names, j.machine.Namespace+"/"+j.machine.Name)
	}
	slices.Sort(names)
	return summary.Few(names)
}

func keyOf(namespace, name string) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace, Name: name}
}

package rollout

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/summary"
)

const (
	// defaultDeadline is spec.deadline where a definition has no default.
	defaultDeadline = 10 * time.Minute
	// maxInFlight is how many Machines of a rollout are under way at once, whatever spec.maxUnavailable
	// says: the record of them must fit in one object.
	maxInFlight = 200
	// maxListed bounds status.stays and status.failed.
	maxListed = 50
	// maxListedMessage bounds the message of each of them, in bytes.
	maxListedMessage = 512
)

// Facts are what a rollout is decided on. Nothing of them is changed.
type Facts struct {
	Rollout *vitistackv1alpha1.MachineRollout
	// Machines are those that the rollout may choose among, at least. They are ours.
	Machines []*vitistackv1alpha1.Machine
	// Others are all other MachineRollouts.
	Others []*vitistackv1alpha1.MachineRollout
	// Sizes are what the classes give now.
	Sizes Sizes
	// ConfigsNamespace is the one in which a rollout may choose in all namespaces. "" means any.
	ConfigsNamespace string
	Now              time.Time
}

// Decision is what follows from Facts.
type Decision struct {
	// Status is the new status, without conditions. Machines that begin are in its InFlight, and are not
	// asked yet. Reason and Message are those of Ready.
	Status          vitistackv1alpha1.MachineRolloutStatus
	Reason, Message string
	// Begin are the Machines that begin with this status, by their namespace/name.
	Begin []string
	// Doubtful are entries of InFlight that only a look past the cache settles: their Machine is not
	// there, or does not show what was asked of it.
	Doubtful map[types.UID]bool
	// Again is when the decision may be another one without an event. The zero time is never.
	Again time.Time
}

// frame is a rollout as its Machines are judged.
type frame struct {
	rollout  *vitistackv1alpha1.MachineRollout
	choice   choice
	wrong    string
	others   []rivals
	sizes    Sizes
	deadline time.Duration
	now      time.Time
}

// rivals is another rollout with what it has under way.
type rivals struct {
	choice
	inFlight map[types.UID]bool
}

func frameOf(facts Facts) *frame {
	f := &frame{rollout: facts.Rollout, sizes: facts.Sizes, deadline: defaultDeadline, now: facts.Now}
	f.choice, f.wrong = choiceOf(facts.Rollout, facts.ConfigsNamespace)
	if class := newClass(f.rollout); f.wrong == "" && class != "" {
		if err := f.sizes.Known(class); err != nil {
			_, message := refusalOf(err)
			f.wrong = "spec.resize.class: " + message
		}
	}
	if d := facts.Rollout.Spec.Deadline; d != nil && d.Duration > 0 {
		f.deadline = d.Duration
	}
	for _, other := range facts.Others {
		if other.UID == f.rollout.UID {
			continue
		}
		r := rivals{inFlight: map[types.UID]bool{}}
		r.choice, _ = choiceOf(other, facts.ConfigsNamespace)
		for _, entry := range other.Status.InFlight {
			r.inFlight[entry.UID] = !other.Status.Phase.Over()
		}
		f.others = append(f.others, r)
	}
	return f
}

// rival is another rollout that has a Machine: it is under way there, or the other one is older and
// not through.
func (f *frame) rival(machine *vitistackv1alpha1.Machine) *vitistackv1alpha1.MachineRollout {
	for _, other := range f.others {
		phase := other.rollout.Status.Phase
		ends := phase.Over() || phase == vitistackv1alpha1.RolloutIncomplete || other.rollout.DeletionTimestamp != nil
		if other.inFlight[machine.UID] ||
			!ends && older(other.rollout, f.rollout) && other.chooses(machine) {
			return other.rollout
		}
	}
	return nil
}

// younger reports whether a token is that of a younger rollout that is still there.
func (f *frame) younger(token string) bool {
	return slices.ContainsFunc(f.others, func(other rivals) bool {
		return other.rollout.Token() == token && older(f.rollout, other.rollout)
	})
}

// Decide says which Machines begin now, which are done, and how far the rollout is.
func Decide(facts Facts) Decision {
	rollout := facts.Rollout
	if rollout.Status.Phase.Over() {
		d := Decision{Status: *rollout.Status.DeepCopy()}
		d.Status.ObservedGeneration = rollout.Generation
		return d
	}
	f := frameOf(facts)
	s := f.sort(facts.Machines)
	d := Decision{Doubtful: s.doubtful, Again: s.again}
	v := f.verdict(s)
	d.Reason, d.Message = v.reason, v.message
	begins := s.waiting[:v.room]
	for _, machine := range begins {
		d.Begin = append(d.Begin, keyOf(machine))
		s.inFlight = append(s.inFlight, vitistackv1alpha1.RolloutInFlight{Machine: keyOf(machine), UID: machine.UID,
			Since: metav1.NewTime(f.now.Truncate(time.Second))})
		s.again = soonest(s.again, f.now.Add(f.deadline))
	}
	d.Again = s.again
	d.Status = vitistackv1alpha1.MachineRolloutStatus{
		ObservedGeneration: rollout.Generation,
		Phase:              v.phase,
		Total:              int32(s.total),
		Updated:            int32(s.done),
		Unavailable:        int32(s.unavailable + len(begins)),
		InFlight:           s.inFlight,
		Failed:             s.failed,
		Stays:              s.listed(),
	}
	return d
}

// sorted are the Machines by what becomes of them.
type sorted struct {
	waiting []*vitistackv1alpha1.Machine
	// listing are those with a reason, broken those that were begun and did not end well, left those
	// that cannot be begun, ailing those that are not begun because they are not healthy, and yielding
	// those that another rollout has.
	listing, broken, left, ailing, yielding []judged
	inFlight                                []vitistackv1alpha1.RolloutInFlight
	failed                                  []vitistackv1alpha1.RolloutFailed
	doubtful                                map[types.UID]bool
	// members is how many Machines count for availability, total for how many of them the rollout is.
	members, total, done, going, unavailable int
	again                                    time.Time
}

func (f *frame) sort(machines []*vitistackv1alpha1.Machine) sorted {
	s := sorted{doubtful: map[types.UID]bool{}}
	entries, given := map[types.UID]*vitistackv1alpha1.RolloutInFlight{}, map[types.UID]*vitistackv1alpha1.RolloutFailed{}
	for i := range f.rollout.Status.InFlight {
		entries[f.rollout.Status.InFlight[i].UID] = &f.rollout.Status.InFlight[i]
	}
	for i := range f.rollout.Status.Failed {
		given[f.rollout.Status.Failed[i].UID] = &f.rollout.Status.Failed[i]
	}
	for _, machine := range machines {
		entry := entries[machine.UID]
		delete(entries, machine.UID)
		concerned := entry != nil || given[machine.UID] != nil ||
			machine.Annotations[vitistackv1alpha1.AnnotationRestart] == f.rollout.Token()
		if machine.DeletionTimestamp == nil && (concerned || f.choice.chooses(machine)) {
			s.take(f.judge(machine, entry, given[machine.UID]), given[machine.UID])
		}
	}
	for uid, entry := range entries { // the cache has no such Machine
		s.doubtful[uid] = true
		s.inFlight = append(s.inFlight, *entry)
		s.members, s.total, s.going, s.unavailable = s.members+1, s.total+1, s.going+1, s.unavailable+1
	}
	slices.SortFunc(s.inFlight, func(a, b vitistackv1alpha1.RolloutInFlight) int {
		return cmp.Or(a.Since.Compare(b.Since.Time), strings.Compare(a.Machine, b.Machine))
	})
	sortBy(s.waiting, f.rollout.Spec.Order)
	return s
}

func (s *sorted) take(j judged, given *vitistackv1alpha1.RolloutFailed) {
	s.members++
	if j.unavailable() {
		s.unavailable++
	}
	if j.fate != uninvolved {
		s.total++
	}
	if j.entry != nil {
		s.inFlight = append(s.inFlight, *j.entry)
	}
	if j.reason != "" {
		s.listing = append(s.listing, j)
	}
	if j.suspect {
		s.doubtful[j.machine.UID] = true
	}
	s.again = soonest(s.again, j.again)
	switch j.fate {
	case done:
		s.done++
	case goes:
		s.going++
	case overdue:
		s.broken = append(s.broken, j)
	case failed:
		s.broken = append(s.broken, j)
		s.failed = append(s.failed, *given)
	case waits:
		s.waiting = append(s.waiting, j.machine)
	case ails:
		s.ailing = append(s.ailing, j)
	case yields:
		s.yielding = append(s.yielding, j)
	case stays:
		s.left = append(s.left, j)
	case uninvolved:
	}
}

// listed are the Machines that are not done and say why: first those that went wrong, by their names.
func (s *sorted) listed() []vitistackv1alpha1.RolloutLeft {
	rank := map[fate]int{overdue: -2, failed: -2, stays: -1}
	slices.SortFunc(s.listing, func(a, b judged) int {
		return cmp.Or(cmp.Compare(rank[a.fate], rank[b.fate]), strings.Compare(keyOf(a.machine), keyOf(b.machine)))
	})
	var left []vitistackv1alpha1.RolloutLeft
	for _, j := range s.listing[:min(len(s.listing), maxListed)] {
		left = append(left, vitistackv1alpha1.RolloutLeft{
			Machine: keyOf(j.machine), Reason: j.reason, Message: summary.Cut(j.message, maxListedMessage),
		})
	}
	return left
}

// soonest is the earlier of two times, of which the zero one is never.
func soonest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

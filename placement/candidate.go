package placement

import "fmt"

// A Candidate is one cluster that the Machine could go to, called by its KubevirtConfig's name.
type Candidate struct {
	Name string
	// Labels are the KubevirtConfig's labels.
	Labels map[string]string
	// Reachable says that the host has a working connection. A candidate stays one while it is
	// unreachable.
	Reachable bool
	// VM is what is known about the Machine's VirtualMachine there. It is filled for strategies
	// with [Needs].Presence.
	VM VM
	// Capacity is what is known about room there. It is filled for strategies with
	// [Needs].Capacity, or in part with [Needs].Machines.
	Capacity Capacity
	// Ready says whether the Machine could run there. It is filled for strategies with
	// [Needs].Ready.
	Ready Ready
}

// A VM says whether the wanted VirtualMachine is in a cluster, and whose it is. The zero value
// knows nothing.
type VM struct {
	Presence Presence
	// Owner is set with Present, else zero.
	Owner Owner
	// UID is the VirtualMachine's UID, set with Present.
	UID string
	// Cause says in a few words why there is no answer; set with Unreachable, for people.
	Cause string
}

// Found reports whether the VirtualMachine is there and may be this Machine's: it is ours, or
// belongs to nothing.
func (v VM) Found() bool {
	return v.Presence == Present && (v.Owner == Ours || v.Owner == Unlabelled)
}

// Answered reports whether the cluster has said if the VirtualMachine is there. Silence is no
// answer.
func (v VM) Answered() bool { return v.Presence == Absent || v.Presence == Present }

// Presence is what a look at a cluster gave. Unreachable is not absent, and NotAsked is neither.
type Presence int

// The values of Presence.
const (
	NotAsked    Presence = iota // no strategy needs it, so the host did not look
	Absent                      // the cluster answered: not there
	Present                     // the cluster answered: there; see VM.Owner
	Unreachable                 // the cluster gave no authorised answer in time
)

var presenceNames = [...]string{"NotAsked", "Absent", "Present", "Unreachable"}

// String is the constant's name.
func (p Presence) String() string { return nameOf(presenceNames[:], int(p), "Presence") }

// MarshalText is String, so that JSON shows names.
func (p Presence) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// Owner says whose VirtualMachine was found. The host judges it; strategies only read it.
type Owner int

// The values of Owner.
const (
	OwnerUnknown Owner = iota // nothing was found, or the host cannot tell; never to be taken for ours
	Ours                      // carries this Machine's and this supervisor's UID
	Unlabelled                // has the wanted name and no owner; it may be adopted
	Foreign                   // has the wanted name and another owner
)

var ownerNames = [...]string{"OwnerUnknown", "Ours", "Unlabelled", "Foreign"}

// String is the constant's name.
func (o Owner) String() string { return nameOf(ownerNames[:], int(o), "Owner") }

// MarshalText is String, so that JSON shows names.
func (o Owner) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// Capacity is room in a cluster. Nil means unknown, which is not zero.
type Capacity struct {
	// Free is what is allocatable and not yet requested.
	Free Resources
	// Machines counts the Machines placed there.
	Machines *int64
}

// Ready says whether a Machine could run in a cluster, by what the host found out about both. The
// zero value knows nothing. It is no promise: the creation decides again.
type Ready struct {
	Verdict ReadyVerdict
	// Score is 0 to 100. Of two clusters with the same verdict the one with the higher score has
	// more room.
	Score int32
	// Reason says in a few words why not, or why it is not known.
	Reason string
}

// ReadyVerdict says whether a Machine could run in a cluster. Unknown is neither yes nor no.
type ReadyVerdict int

// The values of ReadyVerdict.
const (
	ReadyNotAsked ReadyVerdict = iota // no strategy needs it, so the host did not look
	ReadyYes                          // nothing that was looked at stands against it
	ReadyNo                           // something does; see Ready.Reason
	ReadyUnknown                      // a right is missing, or the cluster is silent
)

var readyNames = [...]string{"NotAsked", "Yes", "No", "Unknown"}

// String is the constant's name without Ready.
func (v ReadyVerdict) String() string { return nameOf(readyNames[:], int(v), "ReadyVerdict") }

// MarshalText is String, so that JSON shows names.
func (v ReadyVerdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// nameOf is names[i], or "kind(i)" for a value that has no name.
func nameOf(names []string, i int, kind string) string {
	if i < 0 || i >= len(names) {
		return fmt.Sprintf("%s(%d)", kind, i)
	}
	return names[i]
}

package view

import (
	"slices"
	"strings"
	"time"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// The kinds of what changes.
const (
	KindCluster = "Cluster"
	KindMachine = "Machine"
)

// What a Change says of a whole object, in place of a condition.
const (
	Created = "Created"
	Gone    = "Gone"
	Phase   = "Phase"
)

// Change is something that happened to a cluster or a Machine.
type Change struct {
	At        time.Time `json:"at"`
	Kind      string    `json:"kind"`
	Namespace string    `json:"namespace,omitempty"`
	Name      string    `json:"name"`
	// What is Created, Gone, Phase or the type of a condition.
	What string `json:"what"`
	// Now is the condition's status or the phase, Before the one that it had, where somebody saw that.
	Now    string `json:"now,omitempty"`
	Before string `json:"before,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// History returns the newest changes, newest first: those that the rows remember, each condition
// its last one, and those that were seen.
func History(clusters []Cluster, machines []Machine, seen []Change, most int) []Change {
	all := slices.Clone(seen)
	known := map[Change]bool{}
	for _, change := range seen {
		known[change.key()] = true
	}
	add := func(of Change, created time.Time, passings []Passing) {
		of.What, of.At = Created, created
		for _, each := range append([]Change{of}, transitions(of, passings)...) {
			if !each.At.IsZero() && !known[each.key()] {
				all = append(all, each)
			}
		}
	}
	for i := range clusters {
		add(Change{Kind: KindCluster, Name: clusters[i].Name}, clusters[i].Created, clusters[i].Passings)
	}
	for i := range machines {
		row := &machines[i]
		add(Change{Kind: KindMachine, Namespace: row.Namespace, Name: row.Name}, row.Created, row.Passings)
	}
	slices.SortFunc(all, newestFirst)
	return all[:min(len(all), most)]
}

// key tells a change that a row remembers from others: times of conditions have whole seconds.
func (c Change) key() Change {
	return Change{At: c.At.UTC().Truncate(time.Second), Kind: c.Kind, Namespace: c.Namespace, Name: c.Name, What: c.What,
		Now: c.Now}
}

// transitions are the last ones of the conditions that a person asks for: of a Machine the summary
// and where it is, of a cluster all.
func transitions(of Change, passings []Passing) []Change {
	var all []Change
	for _, p := range passings {
		if of.Kind == KindMachine && p.Condition != vitistackv1alpha1.ConditionReady &&
			p.Condition != vitistackv1alpha1.ConditionPlaced || p.Reason == vitistackv1alpha1.ReasonNotChecked {
			continue
		}
		of.What, of.At, of.Now, of.Reason = p.Condition, p.At, string(p.Status), p.Reason
		all = append(all, of)
	}
	return all
}

func newestFirst(a, b Change) int {
	if order := b.At.Compare(a.At); order != 0 {
		return order
	}
	return strings.Compare(a.Kind+"/"+a.Namespace+"/"+a.Name+"/"+a.What, b.Kind+"/"+b.Namespace+"/"+b.Name+"/"+b.What)
}

// ClusterChanges are what happened between two rows of a cluster, at a time. nil before means that
// it is new, nil now that it is gone.
func ClusterChanges(before, now *Cluster, at time.Time) []Change {
	switch {
	case before == nil:
		return []Change{{At: madeAt(now.Created, at), Kind: KindCluster, Name: now.Name, What: Created}}
	case now == nil:
		return []Change{{At: at, Kind: KindCluster, Name: before.Name, What: Gone}}
	}
	of := Change{Kind: KindCluster, Name: now.Name}
	return append(phaseChange(of, before.Phase, now.Phase, at), moved(of, before.Passings, now.Passings)...)
}

// MachineChanges are what happened between two rows of a Machine, as ClusterChanges.
func MachineChanges(before, now *Machine, at time.Time) []Change {
	switch {
	case before == nil:
		return []Change{{At: madeAt(now.Created, at), Kind: KindMachine, Namespace: now.Namespace, Name: now.Name,
			What: Created}}
	case now == nil:
		return []Change{{At: at, Kind: KindMachine, Namespace: before.Namespace, Name: before.Name, What: Gone}}
	}
	of := Change{Kind: KindMachine, Namespace: now.Namespace, Name: now.Name}
	return append(phaseChange(of, before.Phase, now.Phase, at), moved(of, before.Passings, now.Passings)...)
}

// madeAt is the time that the object remembers, else now: the row remembers the same.
func madeAt(created, now time.Time) time.Time {
	if created.IsZero() {
		return now
	}
	return created
}

func phaseChange(of Change, before, now string, at time.Time) []Change {
	if before == now {
		return nil
	}
	of.At, of.What, of.Before, of.Now = at, Phase, before, now
	return []Change{of}
}

// moved are the conditions whose status is another one than before.
func moved(of Change, before, now []Passing) []Change {
	former := map[string]Passing{}
	for _, p := range before {
		former[p.Condition] = p
	}
	var changed []Passing
	for _, p := range now {
		if former[p.Condition].Status != p.Status {
			changed = append(changed, p)
		}
	}
	all := transitions(of, changed)
	for i := range all {
		all[i].Before = string(former[all[i].What].Status)
	}
	return all
}

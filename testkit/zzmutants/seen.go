package observer

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// seen is everything that a rule may look at. No rule changes it.
type seen struct {
	now     time.Time
	options Options

	clusterUIDs map[string]string // of the namespace kube-system, by cluster
	lives       []life
	machines    map[types.UID]machine
	records     []record
	blind       map[place][]span
	restored    map[string][]time.Time
	trouble     map[string][]trouble
	down        []span
	persons     map[types.UID]bool
	creators    map[string][]creation
	odd         []Violation

	// calls are the operator's calls by cluster that no Check has judged yet, and are old enough that
	// every watch must have told what they did. recent are those of the last minutes, and others the
	// writes of everybody else in that time.
	calls, recent, others map[string][]audit.Call
}

// of are the lives of a kind in a cluster.
func (s seen) of(cluster, resource string) []life {
	var all []life
	for _, l := range s.lives {
		if l.Cluster == cluster && l.Resource == resource {
			all = append(all, l)
		}
	}
	return all
}

// remotes are the names of the remote clusters, sorted.
func (s seen) remotes() []string {
	var all []string
	for name := range s.clusterUIDs {
		if name != fleet.Supervisor {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// byUID are the Machines in a fixed order.
func (s seen) byUID() []machine {
	var all []machine
	for _, m := range s.machines {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b machine) int { return compare(a.UID, b.UID) })
	return all
}

func compare(a, b types.UID) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	default:
		return 0
	}
}

// recorded returns the first record that names a VirtualMachine, not later than a moment.
func (s seen) recorded(vm life, until time.Time) (record, bool) {
	for _, r := range s.records {
		if !r.At.After(until) && r.names(s.clusterUIDs[vm.Cluster], vm.Cluster, vm) {
			return r, true
		}
	}
	return record{}, false
}

// creator is who made an object: the last that asked for one of its name before it was seen. "" is
// somebody before the observer began.
func (s seen) creator(l life) string {
	user := ""
	for _, c := range s.creators[creatorKey(l.Cluster, l.Resource, l.Namespace, l.Name)] {
		if !c.At.After(l.From.Add(s.options.Skew)) {
			user = c.User
		}
	}
	return user
}

func creatorKey(cluster, resource, namespace, name string) string {
	return cluster + " " + resource + " " + namespace + "/" + name
}

// isOperators reports whether a user is the operator.
func (o Options) isOperators(user string) bool { return slices.Contains(o.Operators, user) }

// isPersons reports whether an object is a person's: it was called so, or it is a VirtualMachine
// that somebody else made and that no record names.
func (s seen) isPersons(l life) bool {
	if s.persons[l.UID] || s.persons[l.guest()] {
		return true
	}
	if l.Resource != virtualMachines {
		return false
	}
	creator := s.creator(l)
	if creator == "" || s.options.isOperators(creator) {
		return false
	}
	for _, r := range s.records {
		if r.VMUID == string(l.UID) {
			return false // adopted
		}
	}
	return true
}

// sawNothing reports whether the follower of a kind was blind at any time of from until until. A
// watch that broke right after may not have told everything.
func (s seen) sawNothing(cluster, resource string, from, until time.Time) bool {
	return touched(s.blind[place{cluster, resource}], from, until.Add(s.options.Skew))
}

// wasRestored reports whether a cluster was restored at a time between from and until, as far as it
// was seen.
func (s seen) wasRestored(cluster string, from, until time.Time) bool {
	return slices.ContainsFunc(s.restored[cluster], func(at time.Time) bool {
		return !at.Before(from) && !at.After(until)
	})
}

// troubled are the times in which the operator could not do its work in any of some clusters.
func (s seen) troubled(clusters ...string) []span {
	all := slices.Clone(s.down)
	for _, name := range clusters {
		for _, t := range s.trouble[name] {
			all = append(all, t.span)
		}
	}
	return all
}

// silent reports whether a cluster gave no answer from a moment to another, all the time.
func (s seen) silent(cluster string, from, until time.Time) bool {
	for _, t := range s.trouble[cluster] {
		if t.Silent && !t.From.After(from) && !t.until(s.now).Before(until) {
			return true
		}
	}
	return false
}

// mayAct is how much of a time the operator could work with the supervisor and a cluster.
func (s seen) mayAct(cluster string, from, until time.Time) time.Duration {
	return outside(s.troubled(fleet.Supervisor, cluster), from, until)
}

// calm reports whether the operator, the supervisor and some clusters worked all of a time.
func (s seen) calm(from, until time.Time, clusters ...string) bool {
	return !touched(s.troubled(append(clusters, fleet.Supervisor)...), from, until)
}

// clusterOf is the cluster that a record means, "" for none of the fleet's.
func (s seen) clusterOf(clusterUID, config string) string {
	for name, uid := range s.clusterUIDs {
		if name != fleet.Supervisor && (uid == clusterUID || clusterUID == "" && name == config) {
			return name
		}
	}
	return ""
}

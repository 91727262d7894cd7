package observer

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// window is the time in which calls are counted.
const window = time.Minute

// loops finds Machines for which the operator made more calls in a minute than it ever has to.
func loops(s seen) []Violation {
	var found []Violation
	calls := s.perMachine(func(string, audit.Call) bool { return true })
	byName := func(a, b subject) int { return strings.Compare(a.name, b.name) }
	for _, about := range slices.SortedFunc(maps.Keys(calls), byName) {
		at, most := densest(calls[about])
		bound := s.options.CallsPerMinute
		if s.moves(about.uid, at) {
			bound *= moving
		}
		if most > bound {
			found = append(found, Violation{Invariant: Loop, Object: about.name, At: at, about: about.about(),
				Message: fmt.Sprintf("the operator made more than %d calls within a minute", bound)})
		}
	}
	return found
}

// moving is how many times the calls of another Machine one may take that is being moved: a move looks
// again and again at both sides.
const moving = 4

// moves reports whether a Machine was being moved in the minute after a moment.
func (s seen) moves(uid types.UID, from time.Time) bool {
	return slices.ContainsFunc(s.machines[uid].States, func(x state) bool {
		return x.Move != nil && !x.At.Before(from.Add(-window)) && x.At.Before(from.Add(window))
	})
}

// attemptsPerMinute are what is tried again after 1, 2, 4 and so on up to 300 seconds.
const attemptsPerMinute = 8

// hammered finds writes that were refused, and that the operator tried again more often than its
// back-off allows (I15). Each start of an operator and each change of the Machine begins anew.
func hammered(s seen) []Violation {
	var found []Violation
	for _, cluster := range slices.Sorted(maps.Keys(s.recent)) {
		refused := map[string][]audit.Call{}
		for _, call := range s.recent[cluster] {
			if call.Writes() && call.Code >= 400 && call.Code != http.StatusConflict && call.Code != http.StatusNotFound &&
				call.Code != http.StatusTooManyRequests && !isOverhead(call) {
				refused[call.Verb+" "+call.Kind()+" "+call.Namespace+"/"+call.Name] = append(
					refused[call.Verb+" "+call.Kind()+" "+call.Namespace+"/"+call.Name], call)
			}
		}
		for _, what := range slices.Sorted(maps.Keys(refused)) {
			calls := refused[what]
			about := s.subjectOf(cluster, calls[0])
			if at, most := densest(calls); most > attemptsPerMinute*(1+s.beginnings(about.uid, at)) {
				found = append(found, Violation{Invariant: "I15", Cluster: cluster, Object: about.name, At: at,
					about: about.about(), Message: "the operator tries what was refused more often than it may: " + what})
			}
		}
	}
	return found
}

// densest is the most calls within a minute, and when these began.
func densest(calls []audit.Call) (from time.Time, most int) {
	calls = slices.SortedFunc(slices.Values(calls), func(a, b audit.Call) int { return a.Received.Compare(b.Received) })
	for i, j := 0, 0; j < len(calls); j++ {
		for calls[j].Received.Sub(calls[i].Received) >= window {
			i++
		}
		if j-i+1 > most {
			from, most = calls[i].Received, j-i+1
		}
	}
	return from, most
}

// beginnings are how often an operator started or a Machine changed in the minute after a moment.
func (s seen) beginnings(uid types.UID, from time.Time) int {
	number := 0
	until := from.Add(window)
	for _, down := range s.down {
		if !down.Until.IsZero() && !down.Until.Before(from) && down.Until.Before(until) {
			number++
		}
	}
	m := s.machines[uid]
	for i := 1; i < len(m.States); i++ {
		if at := m.States[i].At; m.States[i].Wish != m.States[i-1].Wish && at.After(from) && at.Before(until) {
			number++
		}
	}
	return number
}

// restless finds Machines for which the operator made any call since a moment (I12). The last look for a
// creation that may arrive late is one, and has its time.
func (s seen) restless(since time.Time) []Violation {
	var found []Violation
	counts := func(cluster string, call audit.Call) bool {
		return !call.Received.Before(since) && !s.isLastLook(cluster, call, since)
	}
	for about, calls := range s.perMachine(counts) {
		found = append(found, Violation{Invariant: "I12", Object: about.name, At: calls[0].Received, about: about.about(),
			Message: fmt.Sprintf("at rest the operator made %s", describe(calls))})
	}
	return found
}

// lookTime is how long the last look for a late creation may take.
const lookTime = 5 * time.Second

// isLastLook reports whether a call reads what a debt names whose time ended since a moment.
func (s seen) isLastLook(cluster string, call audit.Call, since time.Time) bool {
	return !call.Writes() && slices.ContainsFunc(s.records, func(r record) bool {
		if !r.Debt || r.Late.Before(since.Add(-lookTime)) || r.Late.After(s.now) || call.Namespace != r.Namespace {
			return false
		}
		if cluster == fleet.Supervisor {
			return call.Resource == machines && call.Name == r.MachineName
		}
		return cluster == r.Config && (call.Name == r.VMName || machineSelected(call) == r.Machine)
	})
}

// subject is what calls are counted for: a Machine, or an object of which no Machine is known.
type subject struct {
	name string
	uid  types.UID
}

// about is the subject as a violation has it.
func (s subject) about() []types.UID { return []types.UID{s.uid} }

// perMachine are the operator's calls that are about one Machine, by that, of those that count.
func (s seen) perMachine(counts func(cluster string, call audit.Call) bool) map[subject][]audit.Call {
	all := map[subject][]audit.Call{}
	for cluster, calls := range s.recent {
		for _, call := range calls {
			if isOverhead(call) || !counts(cluster, call) {
				continue
			}
			about := s.subjectOf(cluster, call)
			all[about] = append(all[about], call)
		}
	}
	return all
}

// isOverhead reports whether a call is none for a Machine: watches, probes, leases, Events, questions
// of rights and of what is served, lists of a whole kind, and what the operator keeps for all.
func isOverhead(call audit.Call) bool {
	switch {
	case call.Verb == "watch" || call.Resource == "" || call.Verb == "list" && machineSelected(call) == "":
		return true
	case call.Resource == namespaces && call.Name == "kube-system":
		return true
	case strings.HasSuffix(call.Group, "authorization.k8s.io") || strings.HasSuffix(call.Group, "authentication.k8s.io"):
		return true
	default:
		return slices.Contains([]string{"events", "leases", configs, "customresourcedefinitions", configMaps}, call.Resource)
	}
}

// machineSelected is the Machine whose objects a list asks for by label, "" for none.
func machineSelected(call audit.Call) types.UID {
	uri, err := url.ParseRequestURI(call.URI)
	if err != nil {
		return ""
	}
	for term := range strings.SplitSeq(uri.Query().Get("labelSelector"), ",") {
		if name, value, found := strings.Cut(term, "="); found && name == vitistackv1alpha1.LabelMachineUID {
			return types.UID(value)
		}
	}
	return ""
}

// subjectOf is the Machine that a call is about, or the object itself where nobody knows.
func (s seen) subjectOf(cluster string, call audit.Call) subject {
	uid := machineSelected(call)
	for _, m := range s.machines {
		if call.Resource == machines && m.Namespace == call.Namespace && m.Name == call.Name {
			uid = m.UID
		}
	}
	for _, l := range s.lives {
		if uid == "" && l.Cluster == cluster && l.Resource == call.Resource && l.Namespace == call.Namespace &&
			l.Name == call.Name {
			uid = s.machineOf(l)
		}
	}
	if uid == "" {
		return subject{name: cluster + " " + objectName(call.Resource, call.Namespace, call.Name)}
	}
	return subject{name: "Machine " + s.nameOf(uid), uid: uid}
}

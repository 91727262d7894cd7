package observer

import (
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// place is a kind in a cluster: what one follower follows.
type place struct{ cluster, resource string }

// lockedHistory is everything that was seen. Its lock is never held during I/O.
type lockedHistory struct {
	mu sync.Mutex

	lives    map[place]map[types.UID]*life
	machines map[types.UID]*machine
	records  []record
	known    map[string]bool // records that stand in records already

	blind     map[place][]span // times in which a follower saw nothing
	revisions map[place]int64
	restored  map[string][]time.Time // when it was seen that a cluster was restored, by cluster

	calls    map[string][]audit.Call // the operator's that are not judged yet, by cluster
	recent   map[string][]audit.Call // the operator's of the last minutes, by cluster
	others   map[string][]audit.Call // everybody else's writes of the last minutes, by cluster
	creators map[string][]creation   // by what creatorKey says

	trouble  map[string][]trouble // by cluster
	declared []declared           // what tests say of clusters
	down     []span               // times in which no operator worked

	excuses []excuse
	persons map[types.UID]bool
	odd     []Violation // what could not be read
}

// creation is who made an object of a name, and when.
type creation struct {
	User string
	At   time.Time
}

func newHistory(places []place, now time.Time) *lockedHistory {
	h := &lockedHistory{
		lives: map[place]map[types.UID]*life{}, machines: map[types.UID]*machine{}, known: map[string]bool{},
		blind: map[place][]span{}, revisions: map[place]int64{}, restored: map[string][]time.Time{},
		calls: map[string][]audit.Call{}, recent: map[string][]audit.Call{}, others: map[string][]audit.Call{},
		creators: map[string][]creation{},
		trouble:  map[string][]trouble{}, persons: map[types.UID]bool{},
	}
	for _, p := range places {
		h.lives[p], h.blind[p] = map[types.UID]*life{}, []span{{From: now}}
	}
	return h
}

// saw takes in an event of a watch.
func (h *lockedHistory) saw(cluster, resource string, object *unstructured.Unstructured, gone bool, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.see(place{cluster, resource}, object, gone, false, at)
}

// listed takes in everything that there is of a kind. What is missing has gone meanwhile. A revision
// below the last one, an object of a lower generation and one that was gone already tell that the
// cluster was restored.
func (h *lockedHistory) listed(
	cluster, resource string, objects []unstructured.Unstructured, revision string, at time.Time,
) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := place{cluster, resource}
	number, err := strconv.ParseInt(revision, 10, 64)
	back := err == nil && number < h.revisions[p]
	h.revisions[p] = max(number, 0)
	there := map[types.UID]bool{}
	for i := range objects {
		object := &objects[i]
		there[object.GetUID()] = true
		if l := h.lives[p][object.GetUID()]; l != nil {
			back = back || !l.Until.IsZero() || l.Object.GetGeneration() > object.GetGeneration()
		}
	}
	if back {
		h.restored[cluster] = append(h.restored[cluster], at)
	}
	for i := range objects {
		h.see(p, &objects[i], false, true, at)
	}
	for uid, l := range h.lives[p] {
		if l.Until.IsZero() && !there[uid] {
			h.see(p, l.Object, true, true, at)
		}
	}
	h.blind[p] = end(h.blind[p], at)
}

// lost ends what can be claimed about a kind in a cluster until it is listed again.
func (h *lockedHistory) lost(cluster, resource string, at time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := place{cluster, resource}
	h.blind[p] = open(h.blind[p], at)
	for _, l := range h.lives[p] {
		l.On = end(l.On, at)
	}
}

// see is called with the lock.
func (h *lockedHistory) see(p place, object *unstructured.Unstructured, gone, listed bool, at time.Time) {
	if revision, err := strconv.ParseInt(object.GetResourceVersion(), 10, 64); err == nil {
		h.revisions[p] = max(h.revisions[p], revision)
	}
	l := h.lives[p][object.GetUID()]
	if l == nil {
		l = &life{Cluster: p.cluster, Resource: p.resource, Namespace: object.GetNamespace(), Name: object.GetName(),
			UID: object.GetUID(), From: at, Listed: listed}
		h.lives[p][l.UID] = l
	}
	l.see(object, gone, listed, at)
	if gone && p.resource == events {
		delete(h.lives[p], l.UID) // they go after an hour, and were judged long ago
	}
	switch {
	case p.cluster != fleet.Supervisor:
	case p.resource == machines:
		h.seeMachine(object, gone, listed, at)
	case p.resource == configMaps && object.GetName() == vitistackv1alpha1.DebtsConfigMap:
		data, _, _ := unstructured.NestedStringMap(object.Object, "data")
		h.write(debts(data, at))
	}
}

func (h *lockedHistory) seeMachine(object *unstructured.Unstructured, gone, listed bool, at time.Time) {
	s, err := newState(object, listed, at)
	if err != nil {
		h.odd = append(h.odd, Violation{Invariant: "I16", Cluster: fleet.Supervisor, At: at,
			Object: objectName(machines, object.GetNamespace(), object.GetName()), Message: err.Error()})
		return
	}
	m := h.machines[object.GetUID()]
	if m == nil {
		m = &machine{UID: object.GetUID(), Namespace: object.GetNamespace(), Name: object.GetName()}
		h.machines[m.UID] = m
	}
	m.Gone = time.Time{}
	if gone {
		m.Gone = at
		m.Undone = listed && s.Object.DeletionTimestamp.IsZero()
	}
	m.States = forget(append(m.States, s))
	h.write(s.records())
}

// states are how many sights of a Machine are kept at most, beside the first.
const states = 64

// forget drops sights between the first and the last ones. What follows on the gap is marked as
// listed: nobody can say any more when it came.
func forget(all []state) []state {
	if len(all) <= 2*states {
		return all
	}
	kept := append([]state{all[0]}, all[len(all)-states:]...)
	kept[1].Listed = true
	return kept
}

// write keeps each record once, with the time at which it was seen first.
func (h *lockedHistory) write(records []record) {
	for _, r := range records {
		key := string(r.Machine) + r.String() + r.Disks.String() + strconv.FormatBool(r.Debt)
		if !h.known[key] {
			h.known[key] = true
			h.records = append(h.records, r)
		}
	}
}

// listedAll reports whether each follower sees something.
func (h *lockedHistory) listedAll() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, blind := range h.blind {
		if n := len(blind); n > 0 && blind[n-1].Until.IsZero() {
			return false
		}
	}
	return true
}

package observer

import (
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// snapshot is a copy of what rules look at.
func (h *lockedHistory) snapshot(now time.Time) seen {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := seen{
		now: now, records: slices.Clone(h.records), down: slices.Clone(h.down), persons: maps.Clone(h.persons),
		odd: slices.Clone(h.odd), machines: map[types.UID]machine{},
		restored: cloned(h.restored), blind: cloned(h.blind), trouble: cloned(h.trouble),
		recent: cloned(h.recent), others: cloned(h.others), creators: cloned(h.creators),
	}
	for _, d := range h.declared {
		s.trouble[d.cluster] = append(s.trouble[d.cluster], d.trouble)
	}
	for _, all := range h.lives {
		for _, l := range all {
			s.lives = append(s.lives, l.clone())
		}
	}
	for uid, m := range h.machines {
		s.machines[uid] = machine{UID: uid, Namespace: m.Namespace, Name: m.Name, Gone: m.Gone, Undone: m.Undone,
			States: slices.Clone(m.States)}
	}
	return s
}

// cloned is a copy of a map whose slices nobody else changes.
func cloned[K comparable, V any](of map[K][]V) map[K][]V {
	all := make(map[K][]V, len(of))
	for key, values := range of {
		all[key] = slices.Clone(values)
	}
	return all
}

package clusters

import (
	"maps"
	"slices"
	"sync/atomic"
	"testing"
)

// TestIdentities: who else is known by the same UID is right after every change, and all clusters are
// looked at only after one.
func TestIdentities(t *testing.T) {
	all, known := &atomic.Pointer[map[string]*cluster]{}, &identities{}
	all.Store(&map[string]*cluster{})
	become := func(name, uid string) {
		c := &cluster{}
		c.view.Store(&view{state: State{Config: name, ClusterUID: uid}})
		copied := maps.Clone(*all.Load())
		copied[name] = c
		all.Store(&copied)
		known.changed()
	}
	steps := []struct {
		name, uid string
		want      map[string][]string // of east, by its UID then
	}{
		{"east", "a", map[string][]string{"a": nil}},
		{"west", "b", map[string][]string{"a": nil}},
		{"south", "a", map[string][]string{"a": {"south"}}},
		{"north", "a", map[string][]string{"a": {"north", "south"}}},
		{"south", "", map[string][]string{"a": {"north"}, "": nil}},
		{"east", "b", map[string][]string{"b": {"west"}, "a": {"north"}}},
	}
	for _, step := range steps {
		become(step.name, step.uid)
		for uid, want := range step.want {
			if got := known.others(all, uid, "east"); !slices.Equal(got, want) {
				t.Errorf("after %s became %q, %v share %q with east, want %v", step.name, step.uid, got, uid, want)
			}
		}
		index := known.index.Load()
		known.others(all, "a", "west")
		if known.index.Load() != index {
			t.Errorf("after %s became %q each question looks at all clusters", step.name, step.uid)
		}
	}
}

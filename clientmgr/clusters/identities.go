package clusters

import (
	"slices"
	"sync/atomic"
)

// identities finds the clusters that are known by the same UID. Its index is made anew when it is
// read after a change: a State is read far more often than a cluster becomes another one, and must
// not cost a look at all of them. It is safe for concurrent use.
type identities struct {
	changes atomic.Uint64
	index   atomic.Pointer[identityIndex]
}

// identityIndex has the names of clusters by the UID that they are known by, sorted, as of a number
// of changes.
type identityIndex struct {
	changes uint64
	names   map[string][]string
}

// changed is told when a cluster came, went, or is known by another UID, after everybody can see it.
func (i *identities) changed() {
	if i != nil {
		i.changes.Add(1)
	}
}

// others are the names of the clusters that are known by a UID, but for one of them, sorted.
func (i *identities) others(all *atomic.Pointer[map[string]*cluster], uid, name string) []string {
	if uid == "" {
		return nil
	}
	changes := i.changes.Load() // before what they are about, so that none is missed
	index := i.index.Load()
	if index == nil || index.changes != changes {
		index = indexOf(*all.Load(), changes)
		i.index.Store(index)
	}
	names := index.names[uid]
	if len(names) == 0 || len(names) == 1 && names[0] == name {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(names), func(each string) bool { return each == name })
}

func indexOf(clusters map[string]*cluster, changes uint64) *identityIndex {
	index := &identityIndex{changes: changes, names: map[string][]string{}}
	for _, name := range sortedKeys(clusters) {
		uid := clusters[name].view.Load().state.knownUID()
		index.names[uid] = append(index.names[uid], name)
	}
	return index
}

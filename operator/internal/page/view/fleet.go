package view

import (
	"slices"
	"strings"
	"time"
)

// MaxHistory is the number of changes that are shown.
const MaxHistory = 200

// Fleet is all that one person sees: the page, and its JSON.
type Fleet struct {
	At time.Time `json:"at"`
	// Viewer is the name of that person, as the supervisor knows it.
	Viewer string `json:"viewer"`
	Scope  Scope  `json:"scope"`
	// Clusters are sorted by name, Machines by namespace and name, History from the newest.
	Clusters []Cluster `json:"clusters"`
	Machines []Machine `json:"machines"`
	History  []Change  `json:"history"`
}

// Scope is what of the supervisor is shown.
type Scope struct {
	// AllMachines says that Machines of all namespaces are shown; else those of the namespaces in
	// which the viewer may list them.
	AllMachines bool `json:"allMachines"`
	// Clusters says that the viewer may list KubevirtConfigs; else there are none.
	Clusters bool `json:"clusters"`
	// Selector are the labels of the Machines that this operator looks after, "" for all.
	Selector string `json:"selector,omitempty"`
	// NotChecked is the number of namespaces that were left out because there are too many to ask for
	// one by one.
	NotChecked int `json:"notChecked,omitempty"`
}

// Complete sorts the rows, counts Machines and adds the history, with what was seen lately.
func (f *Fleet) Complete(seen []Change) {
	slices.SortFunc(f.Clusters, func(a, b Cluster) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(f.Machines, func(a, b Machine) int {
		if order := strings.Compare(a.Namespace, b.Namespace); order != 0 {
			return order
		}
		return strings.Compare(a.Name, b.Name)
	})
	f.count()
	f.History = History(f.Clusters, f.Machines, seen, MaxHistory)
}

// count counts the Machines of each cluster by phase. The rows of clusters may be shared with
// others; the maps are new.
func (f *Fleet) count() {
	index := map[string]int{}
	for i := range f.Clusters {
		f.Clusters[i].Machines = map[string]int{}
		index[f.Clusters[i].Name] = i
	}
	for i := range f.Machines {
		if at, found := index[f.Machines[i].Cluster]; found {
			f.Clusters[at].Machines[f.Machines[i].Phase]++
		}
	}
}

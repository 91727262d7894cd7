package page

import (
	"context"

	"k8s.io/apiserver/pkg/authentication/user"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/page/access"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/page/feed"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/page/view"
)

// viewer asks what somebody may see of rows.
func (s *Server) viewer(ctx context.Context, who user.Info, rows feed.Rows) (*access.Viewer, error) {
	viewer, err := s.options.Gate.Viewer(ctx, who)
	if err != nil {
		return nil, err
	}
	return viewer, viewer.Ask(ctx, namespacesOf(rows.Machines))
}

func namespacesOf(machines []view.Machine) []string {
	all := make([]string, 0, len(machines))
	for i := range machines {
		all = append(all, machines[i].Namespace)
	}
	return all
}

// shown is what of rows a viewer may see.
func (s *Server) shown(viewer *access.Viewer, rows feed.Rows) view.Fleet {
	fleet := view.Fleet{
		At: s.options.Clock.Now().UTC(), Viewer: viewer.Name, Clusters: []view.Cluster{}, Machines: []view.Machine{},
		Scope: view.Scope{
			AllMachines: viewer.AllMachines, Clusters: viewer.Clusters, Selector: s.options.Selector,
			NotChecked: viewer.NotChecked,
		},
	}
	if viewer.Clusters {
		fleet.Clusters = append(fleet.Clusters, rows.Clusters...)
	}
	fleet.Machines = append(fleet.Machines, machinesFor(viewer, rows.Machines)...)
	fleet.Complete(changesFor(viewer, rows.Seen))
	return fleet
}

func machinesFor(viewer *access.Viewer, machines []view.Machine) []view.Machine {
	if viewer.AllMachines {
		return machines
	}
	var seen []view.Machine
	for i := range machines {
		if viewer.Sees(machines[i].Namespace) {
			seen = append(seen, machines[i])
		}
	}
	return seen
}

func changesFor(viewer *access.Viewer, changes []view.Change) []view.Change {
	var seen []view.Change
	for _, change := range changes {
		if change.Kind == view.KindCluster && viewer.Clusters ||
			change.Kind == view.KindMachine && viewer.Sees(change.Namespace) {
			seen = append(seen, change)
		}
	}
	return seen
}

// update is what of a batch a viewer may see.
type update struct {
	Clusters     []view.Cluster `json:"clusters,omitempty"`
	GoneClusters []string       `json:"goneClusters,omitempty"`
	Machines     []view.Machine `json:"machines,omitempty"`
	GoneMachines []feed.Key     `json:"goneMachines,omitempty"`
	History      []view.Change  `json:"history,omitempty"`
}

func (u *update) empty() bool {
	return len(u.Clusters)+len(u.GoneClusters)+len(u.Machines)+len(u.GoneMachines)+len(u.History) == 0
}

// updateFor asks for namespaces that are new, and leaves out what the viewer may not see.
func updateFor(ctx context.Context, viewer *access.Viewer, batch feed.Batch) (update, error) {
	if err := viewer.Ask(ctx, namespacesOf(batch.Machines)); err != nil {
		return update{}, err
	}
	u := update{Machines: machinesFor(viewer, batch.Machines), History: changesFor(viewer, batch.Changes)}
	if viewer.Clusters {
		u.Clusters, u.GoneClusters = batch.Clusters, batch.GoneClusters
	}
	for _, key := range batch.GoneMachines {
		if viewer.Sees(key.Namespace) {
			u.GoneMachines = append(u.GoneMachines, key)
		}
	}
	return u, nil
}

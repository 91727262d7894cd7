package stage

import (
	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// Calls are the operator's to one cluster that a filter takes. Events and leases are apart.
func Calls(cluster *fleet.Cluster, filter audit.Filter) ([]audit.Call, error) {
	filter.User = fleet.OperatorUser
	filter.But = append(filter.But, "events", "leases")
	return audit.Read(cluster.ControlPlane.AuditLog(), filter)
}

// CallsEverywhere are the operator's to all clusters.
func (s *Stage) CallsEverywhere(filter audit.Filter) ([]audit.Call, error) {
	var all []audit.Call
	for _, cluster := range s.Fleet.Clusters() {
		calls, err := Calls(cluster, filter)
		if err != nil {
			return nil, err
		}
		all = append(all, calls...)
	}
	return all, nil
}

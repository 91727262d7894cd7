// Package side has the readers and writers of the two sides, the supervisor and a remote cluster.
// Each has a type of its own, so that reading one cluster and writing to the other by mistake does
// not compile.
package side

import "sigs.k8s.io/controller-runtime/pkg/client"

// SupervisorCache reads the supervisor from the operator's cache. It shows the operator's own
// writes, and may lack others' latest ones.
type SupervisorCache struct{ client.Reader }

// SupervisorServer asks the supervisor's API server itself. Each read costs a call.
type SupervisorServer struct{ client.Reader }

// Supervisor is the cluster with the Machines.
type Supervisor struct {
	Cache  SupervisorCache
	Server SupervisorServer
	Writer client.Client
}

// RemoteCache reads what the operator made in a remote cluster from its cache. What it lacks may
// exist.
type RemoteCache struct{ client.Reader }

// RemoteServer asks a remote API server itself. A NotFound from it is that server's own word.
type RemoteServer struct{ client.Reader }

// Remote is a remote cluster.
type Remote struct {
	// Config is the name of its KubevirtConfig, ClusterUID its identity, "" where that may not be
	// read.
	Config, ClusterUID string
	Cache              RemoteCache
	Server             RemoteServer
	Writer             client.Client
}

// FieldOwner is the field manager of everything that is written to remote clusters.
const FieldOwner = client.FieldOwner("kubevirt-operator")

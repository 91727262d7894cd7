package agent

import (
	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
)

const (
	// StorageClass is the class whose claims the agent binds.
	StorageClass = "local-default"
	// Provisioner is the name that the class gives the agent.
	Provisioner = "agent.testkit"
)

// NodeName is the name of the one node of a cluster. It is not the name of another cluster's: where
// a virtual machine moves between clusters, KubeVirt keeps it off nodes that are named like the one
// that it leaves.
func NodeName(cluster string) string { return "node-" + cluster }

// Options say which cluster an agent serves, and how.
type Options struct {
	// Cluster is the cluster's name. It stands in logs, and guests' addresses differ by it.
	Cluster string
	// Config connects to the cluster as virt-handler.
	Config *rest.Config
	// Light makes the agent play virt-controller too.
	Light bool
	// Script is how guests and imports behave where their annotations say nothing.
	Script Script
	// Log takes what the agent could not do. Default: nothing is logged.
	Log logr.Logger
}

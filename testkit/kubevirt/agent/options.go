package agent

import (
	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
)

const (
	// Node is the one node of a cluster.
	Node = "node-a"
	// StorageClass is the class whose claims the agent binds.
	StorageClass = "local-default"
	// Provisioner is the name that the class gives the agent.
	Provisioner = "agent.testkit"
)

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

package agent

import (
	"crypto/tls"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"

	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/contents"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/exports"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/imports"
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

	// Contents keeps what is in claims. It is needed.
	Contents *contents.Store
	// Names are the hosts outside the cluster that disks are really got from. Default: there is none.
	Names *exports.Names
	// Room is what there is room for in disks. Default: there are no bounds.
	Room *imports.Room
	// Exports are how disks leave the cluster. Default: they do not.
	Exports *Exports
	// Verbs are how virt-api pauses guests. Default: it cannot.
	Verbs *Verbs
}

// Exports say how disks leave a cluster. All is needed.
type Exports struct {
	// Program is the path of virt-exportserver, Dir a folder for its files, and Log what its output is
	// appended to.
	Program, Dir, Log string
	// Authority signs the certificates of its processes; PEM.
	Authority []byte
	// Address is where requests from outside come in, and Certificate what they are met with.
	Address     string
	Certificate tls.Certificate
	// Faults are what they meet.
	Faults *exports.Faults
}

func (o *Options) complete() {
	if o.Names == nil {
		o.Names = exports.NewNames()
	}
	if o.Room == nil {
		o.Room = imports.NewRoom()
	}
}

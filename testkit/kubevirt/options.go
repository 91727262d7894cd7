package kubevirt

import (
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/agent"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/exports"
)

// KubeVirtVersion is the release of KubeVirt that `make tools` builds from
// testkit/programs/kubevirt.
const KubeVirtVersion = "v1.8.4"

// Namespace is where KubeVirt is installed.
const Namespace = "kubevirt"

// Mode says how much of KubeVirt is real.
type Mode int

const (
	// Real runs KubeVirt's own virt-api and virt-controller.
	Real Mode = iota
	// Light runs nothing but the agent.
	Light
)

// String returns the mode's name.
func (m Mode) String() string {
	if m == Light {
		return "light"
	}
	return "real"
}

// Options say how KubeVirt is started. The zero value works.
type Options struct {
	// Mode is Real or Light. Default: Real.
	Mode Mode
	// Binaries are the programs and manifests. Default: those of FindBinaries.
	Binaries *Binaries
	// Script is how the cluster's virtual machines and volumes behave where their annotations say
	// nothing. Default: they work at once.
	Script agent.Script
	// Names are what DNS answers. Clusters that share them can import each other's exports. Default:
	// nobody sees this one's.
	Names *exports.Names
	// InternalExports leaves out the Ingress, without which exports are for their own cluster alone.
	InternalExports bool
}

func (o *Options) complete() error {
	if o.Names == nil {
		o.Names = exports.NewNames()
	}
	if o.Binaries != nil {
		return nil
	}
	found, err := FindBinaries()
	if err != nil {
		return err
	}
	o.Binaries = &found
	return nil
}

package provision

import (
	"time"

	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/survey"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// Job is one Machine and the clusters that it concerns. It is a value: nothing changes it.
type Job struct {
	Machine    *vitistackv1alpha1.Machine
	Ledger     vitistackv1alpha1.Ledger
	Network    vitistackv1alpha1.NetworkRecord
	Supervisor side.Supervisor
	Remote     side.Remote
	Facts      *survey.Facts
	Options    desired.Options
	Now        time.Time
}

// labels select what was made for the Machine.
func (j Job) labels() client.MatchingLabels {
	all := desired.Labels(j.Machine, j.Options)
	return client.MatchingLabels{
		vitistackv1alpha1.LabelMachineUID:    all[vitistackv1alpha1.LabelMachineUID],
		vitistackv1alpha1.LabelSupervisorUID: all[vitistackv1alpha1.LabelSupervisorUID],
	}
}

// isLabelled reports whether an object carries the labels by which it is found and cached.
func (j Job) isLabelled(object client.Object) bool {
	return desired.IsOurs(object.GetLabels(), j.Machine.UID, j.Options.SupervisorUID)
}

// Labelled reports whether a VirtualMachine carries all labels of the Machine's.
func (j Job) Labelled(vm *kubevirtv1.VirtualMachine) bool { return j.isLabelled(vm) }

// input is what the wanted VirtualMachine depends on.
func (j Job) input(class *vitistackv1alpha1.MachineClass, init *desired.CloudInit) desired.Input {
	return desired.Input{
		Machine: j.Machine, Ledger: j.Ledger, Class: class, Network: j.Network, CloudInit: init, Options: j.Options,
	}
}

// Wish is what the Machine asks of its VirtualMachine now. last is the wish that the VirtualMachine
// carries, nil for none.
func (j Job) Wish(class *vitistackv1alpha1.MachineClass, last *desired.Wish) (desired.Wish, error) {
	wish, err := desired.NewWish(j.input(class, nil), last)
	return wish, problem.Pure(err, vmReady)
}

// AdoptedWish is the wish of a Machine whose VirtualMachine carries none. It needs no class, and
// changes nothing.
func (j Job) AdoptedWish(vm *kubevirtv1.VirtualMachine) (desired.Wish, error) {
	wish, err := desired.AdoptedWish(j.input(nil, nil), vm)
	return wish, problem.Pure(err, vmReady)
}

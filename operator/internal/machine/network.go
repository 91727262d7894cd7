package machine

import (
	"context"
	"errors"
	"slices"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/provision"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// network is how a Machine's virtual machine is attached to networks.
type network struct {
	machine        *vitistackv1alpha1.Machine
	record         vitistackv1alpha1.NetworkRecord
	namespaces     []vitistackv1alpha1.NetworkNamespace
	configurations []vitistackv1alpha1.NetworkConfiguration
	isDecided      bool
}

// attach decides on the networks, once, writes that down, and keeps the Machine's
// NetworkConfigurations. Where the Machine's own change of its networks cannot be decided, what was
// recorded before stays.
func (r *MachineReconciler) attach(
	ctx context.Context, job provision.Job, found found, instance provision.Instance, placed place,
) (network, error) {
	n := network{machine: job.Machine, record: job.Network, isDecided: placed.network != nil}
	if job.Machine.UID == "" {
		return n, problem.Person(vitistackv1alpha1.ConditionReady, vitistackv1alpha1.ReasonInvalidSpec,
			"the Machine has no UID")
	}
	question := provision.Question{
		Machine: job.Machine, Recorded: placed.network, VM: found.VM, Former: found.Former, Options: job.Options,
	}
	decided, undecided := provision.Decide(ctx, job.Supervisor.Cache, question)
	switch {
	case undecided != nil && !n.isDecided:
		return n, errors.Join(r.askForVLAN(ctx, job, question), undecided)
	case undecided == nil && (!n.isDecided || decided.String() != n.record.String()):
		written, err := r.write(ctx, job.Machine, entry{network: &decided})
		if err != nil {
			return n, err
		}
		n.machine = written
		fallthrough
	case undecided == nil:
		n.record, n.isDecided = decided, true
	}
	job.Machine, job.Network = n.machine, n.record
	var err error
	n.namespaces, err = provision.NetworkNamespaces(ctx, job.Supervisor.Cache, job.Machine.Namespace, n.record)
	if err != nil {
		return n, err
	}
	use := provision.Use{InUse: provision.InUse(found.VM, instance.VMI), Former: found.Former}
	if n.configurations, err = job.Configurations(ctx, n.namespaces, use); err != nil {
		return n, err
	}
	return n, undecided
}

// askForVLAN makes the NetworkConfigurations of a Machine on a static network whose VLAN stands in
// its spec alone. The operator of static addresses takes that over into the status, which counts,
// only once somebody asks it for an address.
func (r *MachineReconciler) askForVLAN(ctx context.Context, job provision.Job, question provision.Question) error {
	if question.Options.VLANFromSpec {
		return nil
	}
	question.Options.VLANFromSpec = true
	expected, err := provision.Decide(ctx, job.Supervisor.Cache, question)
	if err != nil {
		return nil // it waits for something else
	}
	namespaces, err := provision.NetworkNamespaces(ctx, job.Supervisor.Cache, job.Machine.Namespace, expected)
	if err != nil {
		return err
	}
	job.Network = expected
	_, err = job.Configurations(ctx, namespaces, provision.Use{})
	return err
}

// drift tells where NetworkNamespaces now say something else than what was recorded. The virtual
// machine stays as it is.
func (n network) drift() error {
	if message := desired.NetworkDrift(n.record, n.namespaces); n.isDecided && message != "" {
		return problem.Person(vitistackv1alpha1.ConditionNetworkReady, vitistackv1alpha1.ReasonNetworkChanged, "%s", message)
	}
	return nil
}

// observed is the network as the status needs it.
func (n network) observed() observed.Network {
	view := observed.Network{Record: n.record, Configurations: n.configurations}
	for _, attachment := range n.record.Attachments {
		isStatic := func(nn vitistackv1alpha1.NetworkNamespace) bool {
			allocation := nn.Spec.IPAllocation
			return nn.Name == attachment.NetworkNamespace && allocation != nil &&
				allocation.Type == vitistackv1alpha1.IPAllocationTypeStatic
		}
		if slices.ContainsFunc(n.namespaces, isStatic) {
			view.Static = append(view.Static, attachment.Interface)
		}
	}
	return view
}

package machine

import (
	"cmp"
	"context"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/provision"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/survey"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// subject is what the judge needs to know of a Machine. vmName is the name that its VirtualMachine
// has or would get. Its MACs are left out: only caseOf looks for them, where it has to tell virtual
// machines apart.
func (r *MachineReconciler) subject(machine *vitistackv1alpha1.Machine, vmName string) custody.Subject {
	subject := custody.Subject{
		Namespace: machine.Namespace, Name: machine.Name,
		Labels:      desired.Labels(machine, r.settings.Desired),
		VMName:      vmName,
		StatusVMUID: machine.Status.MachineID,
		Adopt:       cmp.Or(machine.Annotations[vitistackv1alpha1.AnnotationAdopt], r.heirloom(machine)),
		Recreate:    machine.Annotations[vitistackv1alpha1.AnnotationRecreate],
		References:  custody.References(machine),
		Held:        isHeld(machine),
	}
	// A ledger that names a virtual machine of another name was copied with a Machine that was
	// renamed.
	reading := r.read(machine)
	if name := reading.Ledger.VMName; reading.Standing == custody.Unconfirmed && (name == vmName || name == machine.Name) {
		subject.LedgerVMUID = reading.Ledger.VMUID
	}
	return subject
}

// isHeld reports whether the operator's finalizer is on a Machine.
func isHeld(machine *vitistackv1alpha1.Machine) bool {
	return controllerutil.ContainsFinalizer(machine, vitistackv1alpha1.FinalizerMachine)
}

// read reads the Machine's ledger. One that this process wrote itself counts also while the status does
// not say the same yet: whoever wrote the Machine since has not changed it.
func (r *MachineReconciler) read(machine *vitistackv1alpha1.Machine) custody.Reading {
	reading := custody.Read(machine, isHeld(machine), observed.ProviderID, func(config string) []string {
		state, _ := r.KubevirtClientMgr.State(config)
		return state.FormerClusterUIDs
	})
	if reading.Standing == custody.Unconfirmed && isHeld(machine) && r.fresh != nil && r.fresh.Recorded(machine) {
		reading.Standing = custody.Confirmed
	}
	return reading
}

// record is a ledger that counts, with what its KubevirtConfig says of the cluster's earlier
// identities.
func (r *MachineReconciler) record(ledger vitistackv1alpha1.Ledger) *custody.Record {
	state, _ := r.KubevirtClientMgr.State(ledger.Config)
	return &custody.Record{Ledger: ledger, FormerClusterUIDs: state.FormerClusterUIDs}
}

// macs are the addresses that the Machine's interfaces have been given: by its network record,
// where the ledger beside it is confirmed, else by its NetworkConfigurations. Whoever can write a
// Machine can write a record into it.
func (r *MachineReconciler) macs(ctx context.Context, machine *vitistackv1alpha1.Machine) ([]string, error) {
	if record := provision.RecordedNetwork(machine); record != nil && r.read(machine).Standing == custody.Confirmed {
		var macs []string
		for _, attachment := range record.Attachments {
			macs = append(macs, attachment.MAC)
		}
		return macs, nil
	}
	configurations, err := provision.ConfigurationsOf(ctx, r.live, machine, "")
	if err != nil {
		return nil, problem.Supervisor(err, problem.At{
			Condition: vitistackv1alpha1.ConditionPlaced, Doing: "listing NetworkConfigurations",
		})
	}
	var macs []string
	for i := range configurations {
		if !desired.OwnsNetworkConfiguration(machine, &configurations[i], r.settings.Desired) {
			continue
		}
		for _, given := range configurations[i].Spec.NetworkInterfaces {
			if mac, ok := desired.ParseMAC(given.MacAddress); ok {
				macs = append(macs, mac)
			}
		}
	}
	return macs, nil
}

// claimants are the other Machines of the Machine's namespace, by the supervisor's API server
// itself. They are nil where this Machine itself is not among them: then the one in hand is from a
// cache that is behind, and nothing may be concluded.
func (r *MachineReconciler) claimants(
	ctx context.Context, machine *vitistackv1alpha1.Machine,
) ([]custody.Claimant, error) {
	machines := provision.MetadataOf(vitistackv1alpha1.SchemeGroupVersion.WithKind("Machine"))
	if err := r.live.List(ctx, machines, client.InNamespace(machine.Namespace)); err != nil {
		return nil, problem.Supervisor(err,
			problem.At{Condition: vitistackv1alpha1.ConditionPlaced, Doing: "listing Machines"})
	}
	others, exists := []custody.Claimant{}, false
	for i := range machines.Items {
		if machines.Items[i].UID == machine.UID {
			exists = true
			continue
		}
		claimant := custody.Claimant{UIDLabel: desired.LabelValue(string(machines.Items[i].UID))}
		if ledger, err := vitistackv1alpha1.LedgerOf(&machines.Items[i]); err == nil {
			claimant.VMUID = ledger.VMUID
		}
		others = append(others, claimant)
	}
	if !exists {
		return nil, nil
	}
	return others, nil
}

// caseOf is everything that the judge decides by.
func (r *MachineReconciler) caseOf(
	ctx context.Context, machine *vitistackv1alpha1.Machine, vmName string, record *custody.Record, seen survey.All,
) (custody.Case, error) {
	c := custody.Case{Machine: r.subject(machine, vmName), Record: record, Looks: seen.Looks()}
	if !slices.ContainsFunc(c.Looks, func(l custody.Look) bool { return len(l.Found) > 0 }) {
		return c, nil // nothing has to be told apart
	}
	var err error
	if c.Machine.MACs, err = r.macs(ctx, machine); err != nil {
		return c, err
	}
	c.Machine.Adopt = r.keptElsewhere(ctx, machine, c)
	if c.NeedsClaimants() {
		c.Claimants, err = r.claimants(ctx, machine)
	}
	return c, err
}

// lookFor says what a live look for the Machine's VirtualMachine looks for. Before the Machine is
// placed that may also have the Machine's own name, which is what the public operator gave it.
// Nothing can carry the UID of a Machine that is fresh.
func (r *MachineReconciler) lookFor(machine *vitistackv1alpha1.Machine, vmName string, placed bool) survey.For {
	what := survey.For{Namespace: machine.Namespace, Names: []string{vmName}}
	if !placed && vmName != machine.Name {
		what.Names = append(what.Names, machine.Name)
	}
	if machine.UID != "" && (placed || !r.isFresh(machine)) {
		what.UIDLabel = desired.LabelValue(string(machine.UID))
	}
	return what
}

// isFresh reports whether only the chosen cluster needs to be asked. A Machine that is to adopt may
// find its VirtualMachine anywhere.
func (r *MachineReconciler) isFresh(machine *vitistackv1alpha1.Machine) bool {
	return !r.settings.StrictUniqueness && r.fresh != nil && r.fresh.Fresh(machine) &&
		machine.Annotations[vitistackv1alpha1.AnnotationAdopt] == "" && !r.mayInherit(machine)
}

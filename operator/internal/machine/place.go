package machine

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/provision"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/survey"
	"github.com/vitistack/kubevirt-multicluster/placement"
)

// place is where a Machine is placed, and what is recorded about that.
type place struct {
	machine *vitistackv1alpha1.Machine
	ledger  *vitistackv1alpha1.Ledger
	// network is the Machine's network record, nil where nothing is decided yet.
	network *vitistackv1alpha1.NetworkRecord
	// fenced says that this reconcile wrote the ledger: the Machine in hand was the newest one
	// then.
	fenced bool
	// adopted says that this reconcile took over a VirtualMachine; former is the UID of the Machine
	// that it was made for, "" for none.
	adopted bool
	former  types.UID
	// seen are the live looks of this reconcile. They count where it was fenced after them.
	seen survey.All
}

// place decides where the Machine belongs and writes that down, before anything is made. A Machine
// that is recorded stays where it is, and no strategy is asked.
func (r *MachineReconciler) place(
	ctx context.Context, supervisor side.Supervisor, machine *vitistackv1alpha1.Machine,
) (place, error) {
	if !isHeld(machine) { // nothing is recorded, so that nothing can be observed meanwhile
		if err := r.heldRecord(machine); err != nil {
			return place{machine: machine, ledger: r.known(machine)}, err
		}
	}
	decision, err := r.decide(ctx, machine)
	if err != nil {
		return place{machine: machine, ledger: r.known(machine)}, err
	}
	placed := place{
		machine: machine, ledger: &decision.Ledger, former: decision.Former, seen: decision.Seen,
	}
	if decision.Verdict == VerdictPlaced || decision.Verdict == VerdictRestore {
		placed.network = provision.RecordedNetwork(machine) // one that came with a copied Machine has another's addresses
	}
	if decision.Verdict == VerdictPlaced && isHeld(machine) {
		r.rememberPlaced(machine)
		return placed, nil
	}
	network, undecided := provision.Decide(ctx, supervisor.Cache, provision.Question{
		Machine: machine, Recorded: placed.network, VM: decision.VM, Former: decision.Former, Options: r.settings.Desired,
	})
	if undecided == nil {
		placed.network = &network
	}
	placed.machine, err = r.write(ctx, machine,
		entry{ledger: &decision.Ledger, network: placed.network, asked: decision.Asked})
	if err != nil {
		return place{machine: machine, ledger: r.known(machine)}, err
	}
	r.rememberPlaced(placed.machine)
	placed.fenced, placed.adopted = true, decision.Verdict == VerdictAdopt
	r.tellPlace(ctx, placed.machine, decision)
	return placed, r.handOver(placed)
}

// rememberPlaced notes that a Machine may have a virtual machine from now on. A record that could not
// be written has none: the Machine is as fresh as before.
func (r *MachineReconciler) rememberPlaced(machine *vitistackv1alpha1.Machine) {
	if r.fresh != nil {
		r.fresh.Placed(machine)
	}
}

// known is the ledger that the Machine has, for the status. nil where it has none that can be read.
func (r *MachineReconciler) known(machine *vitistackv1alpha1.Machine) *vitistackv1alpha1.Ledger {
	ledger, err := vitistackv1alpha1.LedgerOf(machine)
	if err != nil || machine.Status.KubevirtConfigRef == nil {
		return nil
	}
	return &ledger
}

// entry is what is written into a Machine's record. nil fields stay as they are.
type entry struct {
	ledger  *vitistackv1alpha1.Ledger
	network *vitistackv1alpha1.NetworkRecord
	disks   vitistackv1alpha1.DiskRecord
	restart *vitistackv1alpha1.RestartRecord
	asked   Asked
}

// write writes the record, and with it the finalizer and the reference, in one patch that fails if
// the Machine was changed since it was read. It returns the Machine as it is then. When it returns,
// the Machine in hand was the newest one.
func (r *MachineReconciler) write(
	ctx context.Context, machine *vitistackv1alpha1.Machine, e entry,
) (*vitistackv1alpha1.Machine, error) {
	written := machine.DeepCopy()
	controllerutil.AddFinalizer(written, vitistackv1alpha1.FinalizerMachine)
	annotations := maps.Clone(written.Annotations)
	if annotations == nil {
		annotations = map[string]string{}
	}
	if err := e.into(annotations); err != nil {
		return machine, err
	}
	if e.ledger != nil && e.ledger.VMUID != "" { // the public operator's hold ends where ours is complete
		controllerutil.RemoveFinalizer(written, vitistackv1alpha1.FinalizerMachinePublic)
	}
	written.Annotations = annotations
	patch := client.MergeFromWithOptions(machine, client.MergeFromWithOptimisticLock{})
	if err := r.Patch(ctx, written, patch); err != nil {
		at := problem.At{Condition: vitistackv1alpha1.ConditionPlaced, Doing: "recording the place"}
		return machine, problem.Written(problem.Supervisor(err, at))
	}
	return written, nil
}

// into puts an entry into a Machine's annotations. Another wish that a person wrote there is
// refused later, and not erased.
func (e entry) into(annotations map[string]string) error {
	told := e.told(annotations)
	if e.ledger != nil {
		if err := e.ledger.Validate(); err != nil {
			return problem.Person(vitistackv1alpha1.ConditionPlaced, vitistackv1alpha1.ReasonLedgerInvalid,
				"the place cannot be recorded: %v", err)
		}
		annotations[vitistackv1alpha1.AnnotationPlacement] = e.ledger.String()
		if annotations[vitistackv1alpha1.AnnotationKubevirtConfig] == "" {
			annotations[vitistackv1alpha1.AnnotationKubevirtConfig] = e.ledger.Config
		}
	}
	if e.network != nil {
		annotations[vitistackv1alpha1.AnnotationPlacementNetwork] = e.network.String()
	}
	if e.disks != nil {
		annotations[vitistackv1alpha1.AnnotationPlacementDisks] = e.disks.String()
	}
	if e.restart != nil {
		annotations[vitistackv1alpha1.AnnotationPlacementRestart] = e.restart.String()
	}
	if e.asked.Trace != nil && !told {
		annotations[vitistackv1alpha1.AnnotationPlacementTrace] = e.asked.summary(e.ledger.Config)
	}
	return nil
}

// told says whether people were told already who chose this place. A process that ended between the
// record and the status is followed by one that finds its own reference, and asks again: what is
// answered then decides nothing.
func (e entry) told(annotations map[string]string) bool {
	recorded, err := vitistackv1alpha1.ParseLedger(annotations[vitistackv1alpha1.AnnotationPlacement])
	trace := vitistackv1alpha1.ParsePlacementTrace(annotations[vitistackv1alpha1.AnnotationPlacementTrace])
	return err == nil && e.ledger != nil && recorded.Config == e.ledger.Config && trace.Config == e.ledger.Config
}

// fence returns what shows that the Machine in hand is the newest one. Where the ledger names a
// VirtualMachine that is gone, it also begins a new creation under another nonce.
func (r *MachineReconciler) fence(placed place, after func(*vitistackv1alpha1.Machine)) provision.Fence {
	return func(ctx context.Context) (vitistackv1alpha1.Ledger, error) {
		ledger := *placed.ledger
		if ledger.VMUID != "" {
			ledger.VMUID, ledger.Nonce = "", newNonce()
		} else if placed.fenced {
			return ledger, nil
		}
		written, err := r.write(ctx, placed.machine, entry{ledger: &ledger})
		if err == nil {
			after(written)
		}
		return ledger, err
	}
}

// tellPlace tells people of a choice that was made for them.
func (r *MachineReconciler) tellPlace(ctx context.Context, machine *vitistackv1alpha1.Machine, decision Decision) {
	ledger := decision.Ledger
	logger := log.FromContext(ctx).WithValues("kubevirtConfig", ledger.Config)
	r.take(ledger.Config, decision.Asked.Request.Machine.Requests)
	switch {
	case decision.Verdict == VerdictRestore:
		logger.Info("Restored the lost placement of machine", "vm", ledger.VMName)
	case decision.Verdict == VerdictAdopt:
		logger.Info("Adopted existing VirtualMachine for machine", "vm", ledger.VMName)
		r.event(machine, eventNormal, vitistackv1alpha1.ReasonAdopted, "Place",
			fmt.Sprintf("adopted VirtualMachine %s of %s", ledger.VMName, ledger.Config))
	case decision.Verdict == VerdictPlaced: // only the finalizer was lost
	case decision.Strategy != placement.Explicit{}.Name():
		logger.Info("Automatically assigned KubevirtConfig to machine", "strategy", decision.Strategy)
		r.event(machine, eventNormal, vitistackv1alpha1.ReasonPlaced, "Place",
			fmt.Sprintf("placed in %s by strategy %s", ledger.Config, decision.Strategy))
	default: // as the Machine asks
		logger.Info("Placed machine", "strategy", decision.Strategy)
	}
}

// asks is what a Machine asks for: its generation, and the annotations that people write.
func asks(machine *vitistackv1alpha1.Machine) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%d", machine.Generation)
	for _, name := range sortedKeys(machine.Annotations) {
		if !vitistackv1alpha1.IsOperators(name) {
			fmt.Fprintf(&text, "\n%s=%s", name, machine.Annotations[name])
		}
	}
	return text.String()
}

package machine

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/util/uuid"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// readLedger reads the Machine's ledger. It blocks where the ledger cannot be read, or says something else than the status.
func (p *pass) readLedger(context.Context) error {
	text, placed := p.machine.Annotations[vitistackv1alpha1.AnnotationPlacement]
	copied := p.machine.Status.KubevirtConfigRef
	if !placed {
		return nil
	}
	ledger, err := vitistackv1alpha1.ParseLedger(text)
	if err != nil {
		return blockReady(vitistackv1alpha1.ReasonLedgerInvalid, "annotation %s: %v", vitistackv1alpha1.AnnotationPlacement, err)
	}
	if copied != nil && (copied.Name != ledger.Config || copied.ClusterUID != "" && copied.ClusterUID != ledger.ClusterUID) {
		return blockReady(vitistackv1alpha1.ReasonLedgerConflict,
			"annotation %s names cluster %s (%s), the status %s (%s)", vitistackv1alpha1.AnnotationPlacement,
			ledger.Config, ledger.ClusterUID, copied.Name, copied.ClusterUID)
	}
	if ledger.Namespace != p.machine.Namespace {
		return blockReady(vitistackv1alpha1.ReasonLedgerConflict, "annotation %s is that of a Machine of namespace %s: it was copied",
			vitistackv1alpha1.AnnotationPlacement, ledger.Namespace)
	}
	p.ledger = &ledger
	if p.fresh != nil {
		p.fresh.Placed(p.machine)
	}
	return nil
}

// record writes the ledger, and with it the finalizer and the reference, in one patch that fails if the Machine was changed since it was
// read. When it returns nil, the Machine in hand was the newest one.
func (p *pass) record(ctx context.Context, ledger vitistackv1alpha1.Ledger) error {
	if err := ledger.Validate(); err != nil {
		return err
	}
	before := p.machine.DeepCopy()
	controllerutil.AddFinalizer(p.machine, vitistackv1alpha1.FinalizerMachine)
	annotations := maps.Clone(p.machine.Annotations)
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[vitistackv1alpha1.AnnotationPlacement] = ledger.String()
	if p.asked.trace != nil {
		annotations[vitistackv1alpha1.AnnotationPlacementTrace] = p.asked.summary(ledger.Config)
	}
	if annotations[vitistackv1alpha1.AnnotationKubevirtConfig] == "" { // a person's other wish is refused, not erased
		annotations[vitistackv1alpha1.AnnotationKubevirtConfig] = ledger.Config
	}
	p.machine.Annotations = annotations
	patch := client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})
	if err := p.Patch(ctx, p.machine, patch); err != nil {
		p.machine = before
		return fmt.Errorf("recording the place: %w", err)
	}
	p.ledger, p.recorded = &ledger, true
	if p.fresh != nil {
		p.fresh.Placed(p.machine)
	}
	return nil
}

// restore writes a lost ledger anew.
func (p *pass) restore(ctx context.Context) error {
	ledger, err := p.lostLedger(ctx)
	if err != nil {
		return err
	}
	log.FromContext(ctx).Info("Restored the lost placement of machine", "kubevirtConfig", ledger.Config, "vm", ledger.VMName)
	return p.record(ctx, ledger)
}

// lostLedger is what a lost ledger was, where the status still has its copy and the VirtualMachine itself is there to confirm it.
func (p *pass) lostLedger(ctx context.Context) (vitistackv1alpha1.Ledger, error) {
	copied := p.machine.Status.KubevirtConfigRef
	found, err := p.lookIn(ctx, copied.Name, p.machine.Status.VMName)
	if err != nil {
		return vitistackv1alpha1.Ledger{}, p.unreachable(err)
	}
	if len(found) == 1 && found[0].owner == former {
		return vitistackv1alpha1.Ledger{}, p.refuse(vitistackv1alpha1.ReasonNameCollision, "%s", collision(copied.Name, found[0]))
	}
	found = slices.DeleteFunc(found, func(s sighting) bool { return s.owner != ours && s.owner != inherited })
	state, _ := p.KubevirtClientMgr.State(copied.Name)
	if len(found) != 1 || copied.ClusterUID != "" && copied.ClusterUID != state.ClusterUID {
		return vitistackv1alpha1.Ledger{}, &Blocked{
			Condition: vitistackv1alpha1.ConditionReady, Reason: vitistackv1alpha1.ReasonLedgerConflict, After: blockedRetry,
			Message: fmt.Sprintf("the status says that the Machine is placed in %s, but annotation %s is gone and its VirtualMachine does not tell",
				copied.Name, vitistackv1alpha1.AnnotationPlacement),
		}
	}
	return vitistackv1alpha1.Ledger{
		Config: copied.Name, ClusterUID: copied.ClusterUID, Namespace: p.machine.Namespace,
		VMName: found[0].vm.Name, VMUID: string(found[0].vm.UID), Nonce: newNonce(),
	}, nil
}

// intend records that a VirtualMachine is about to be created, under a nonce of this attempt's own. A pass that has just placed the
// Machine has recorded that already.
func (p *pass) intend(ctx context.Context) error {
	if p.recorded {
		return nil
	}
	ledger := *p.ledger
	ledger.Nonce, ledger.VMUID = newNonce(), ""
	return p.record(ctx, ledger)
}

// recordVM records the UID of the VirtualMachine in hand, once it is known.
func (p *pass) recordVM(ctx context.Context) error {
	if p.ledger.VMUID == string(p.vm.UID) {
		return nil
	}
	ledger := *p.ledger
	ledger.VMUID = string(p.vm.UID)
	return p.record(ctx, ledger)
}

func newNonce() string { return string(uuid.NewUUID()) }

func blockReady(reason, format string, args ...any) error {
	return &Blocked{Condition: vitistackv1alpha1.ConditionReady, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

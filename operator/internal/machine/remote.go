package machine

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

// connect gets the client of the cluster that the ledger names. It neither dials nor waits.
func (p *pass) connect(ctx context.Context) error {
	if p.machine.DeletionTimestamp.IsZero() && !p.owed && !controllerutil.ContainsFinalizer(p.machine, vitistackv1alpha1.FinalizerMachine) {
		if err := p.record(ctx, *p.ledger); err != nil { // an uninstall took the finalizer off, or a person
			return err
		}
	}
	remote, _, err := p.KubevirtClientMgr.GetOrCreateClientFromMachine(ctx, p.machine)
	if err != nil {
		return p.unreachable(err)
	}
	p.remote = remote
	return nil
}

// unreachable turns the reason why a remote cluster cannot be used into an outcome. What is no such reason stays as it is.
func (p *pass) unreachable(err error) error {
	for _, c := range []struct {
		is        error
		condition string
		reason    string
		blocked   bool
	}{
		{is: clientmgr.ErrConfigNotFound, condition: vitistackv1alpha1.ConditionPlaced, reason: vitistackv1alpha1.ReasonConfigNotFound, blocked: true},
		{is: clientmgr.ErrReferenceConflict, condition: vitistackv1alpha1.ConditionPlaced, reason: vitistackv1alpha1.ReasonReferencesDiffer, blocked: true},
		{is: clientmgr.ErrIdentityChanged, reason: vitistackv1alpha1.ReasonIdentityChanged, blocked: true},
		{is: clientmgr.ErrBadKubeconfig, reason: vitistackv1alpha1.ReasonBadKubeconfig, blocked: true},
		{is: clientmgr.ErrCredentialMissing, reason: vitistackv1alpha1.ReasonCredentialMissing, blocked: true},
		{is: clientmgr.ErrUnauthorized, reason: vitistackv1alpha1.ReasonUnauthorized},
		{is: clientmgr.ErrForbidden, reason: vitistackv1alpha1.ReasonForbidden},
		{is: clientmgr.ErrSupervisorNotSynced, reason: vitistackv1alpha1.ReasonConnecting},
		{is: clientmgr.ErrNotSynced, reason: vitistackv1alpha1.ReasonNotSynced},
		{is: clientmgr.ErrKindNotServed, reason: vitistackv1alpha1.ReasonUnreachable},
		{is: clientmgr.ErrNotConnected, reason: vitistackv1alpha1.ReasonUnreachable},
	} {
		if !errors.Is(err, c.is) {
			continue
		}
		if c.condition == "" {
			c.condition = vitistackv1alpha1.ConditionRemoteReachable
		}
		if c.blocked {
			return &Blocked{Condition: c.condition, Reason: c.reason, Message: err.Error()}
		}
		wait := &Wait{Condition: c.condition, Reason: c.reason, Message: err.Error()}
		if _, ok := errors.AsType[*clientmgr.CallError](err); ok {
			p.holdCall(wait, err)
		}
		if connection, ok := errors.AsType[*clientmgr.ConnectionError](err); ok {
			wait.Since = connection.Since
			if state, found := p.KubevirtClientMgr.State(connection.Config); found && state.Reason == clientmgr.ReasonConnecting {
				wait.Reason = vitistackv1alpha1.ReasonConnecting
			}
		}
		return wait
	}
	return err
}

// holdCall: one call went wrong. If the cluster is lost its state will say so; if it is not, nothing else tells when to look again.
func (p *pass) holdCall(wait *Wait, err error) {
	wait.After = placeRetry
	if errors.Is(err, clientmgr.ErrNotConnected) {
		wait.Since = p.now
	}
}

// refused turns what a remote API server has against an object into an outcome. Every other error is to be tried again.
func (p *pass) refused(err error, what string) error {
	switch {
	case apierrors.IsForbidden(err), apierrors.IsInvalid(err), apierrors.IsBadRequest(err), apierrors.IsRequestEntityTooLargeError(err):
		return &Blocked{
			Condition: vitistackv1alpha1.ConditionVirtualMachineReady, Reason: vitistackv1alpha1.ReasonRejected,
			Message: p.ledger.Config + " does not admit " + what + ": " + err.Error(),
			After:   blockedRetry, // nobody tells when a quota, a right or a webhook was changed
		}
	default:
		return p.unreachable(err)
	}
}

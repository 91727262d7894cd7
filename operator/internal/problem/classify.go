package problem

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// At says where an error was met.
type At struct {
	// Condition is the type of the condition that the step decides.
	Condition string
	// Doing is what was tried, for people: "creating VirtualMachine vm-web".
	Doing string
}

// Pure turns an error of the pure packages into a Problem of a condition. nil stays nil, and so
// does a Problem.
func Pure(err error, condition string) error {
	if err == nil {
		return nil
	}
	if _, known := As(err); known {
		return err
	}
	if refusal, ok := errors.AsType[*desired.Refusal](err); ok {
		return Person(condition, refusal.Reason, "%s", refusal.Message)
	}
	if wait, ok := errors.AsType[*desired.Wait](err); ok {
		if wait.Reason == v1alpha1.ReasonWaitingForAddresses { // whichever step needs them
			condition = v1alpha1.ConditionNetworkReady
		}
		return Time(condition, wait.Reason, "%s", wait.Message)
	}
	return Time(condition, v1alpha1.ReasonRetrying, "%s", err.Error())
}

// Supervisor turns an error of a call to the supervisor into a Problem. nil stays nil, and so does
// a Problem.
func Supervisor(err error, at At) error {
	if err == nil {
		return nil
	}
	if _, known := As(err); known {
		return err
	}
	switch {
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err):
		return stale(at, err)
	case isRefusal(err):
		return Person(at.Condition, v1alpha1.ReasonSupervisorRefused, "the supervisor refuses %s: %s", at.Doing, err)
	default:
		return Time(at.Condition, v1alpha1.ReasonRetrying, "%s in the supervisor: %s", at.Doing, err)
	}
}

// Remote turns an error of a call to a remote cluster into a Problem. nil stays nil, and so does a
// Problem.
func Remote(err error, config string, at At) error {
	if err == nil {
		return nil
	}
	if _, known := As(err); known {
		return err
	}
	var call *clientmgr.CallError
	switch {
	case apierrors.IsConflict(err), apierrors.IsAlreadyExists(err):
		return stale(at, err)
	case errors.Is(err, clientmgr.ErrKindNotServed):
		return Cluster(at.Condition, kindReason(at.Condition), "%s in %s: %s", at.Doing, config, err)
	case isRefusal(err):
		return Person(at.Condition, v1alpha1.ReasonRejected, "%s does not admit %s: %s", config, at.Doing, err)
	case errors.Is(err, clientmgr.ErrBusy):
		return Time(at.Condition, v1alpha1.ReasonRetrying, "%s in %s waits for the operator's own limit of calls", at.Doing,
			config)
	case IsTimeout(err):
		return Cluster(at.Condition, v1alpha1.ReasonRetrying, "%s in %s: %s; where the cluster answers other calls, "+
			"one of its admission webhooks may hang", at.Doing, config, err)
	case errors.As(err, &call):
		return Cluster(at.Condition, v1alpha1.ReasonRetrying, "%s in %s: %s", at.Doing, config, err)
	}
	if contact, lost := Contact(err); lost {
		return contact
	}
	return Cluster(at.Condition, v1alpha1.ReasonRetrying, "%s in %s: %s", at.Doing, config, err)
}

// isRefusal reports whether an API server understood a call and does not want it.
func isRefusal(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) ||
		apierrors.IsRequestEntityTooLargeError(err)
}

// kindReason is the reason for a kind that a cluster does not serve.
func kindReason(condition string) string {
	if condition == v1alpha1.ConditionNetworkReady {
		return v1alpha1.ReasonNetworkKindMissing
	}
	return v1alpha1.ReasonKindMissing
}

func stale(at At, err error) *Problem {
	p := Time(at.Condition, v1alpha1.ReasonRetrying, "%s: %s", at.Doing, err)
	p.Stale = true
	return p
}

// contact says what the reasons of the client manager mean for a Machine.
var contact = []struct {
	is        error
	condition string
	reason    string
	acts      v1alpha1.Actor
}{
	{clientmgr.ErrConfigNotFound, v1alpha1.ConditionPlaced, v1alpha1.ReasonConfigNotFound, v1alpha1.ActorPerson},
	{clientmgr.ErrReferenceConflict, v1alpha1.ConditionPlaced, v1alpha1.ReasonReferencesDiffer, v1alpha1.ActorPerson},
	{clientmgr.ErrIdentityChanged, v1alpha1.ConditionRemoteReachable, v1alpha1.ReasonIdentityChanged,
		v1alpha1.ActorPerson},
	{clientmgr.ErrIdentityUnverified, v1alpha1.ConditionRemoteReachable, v1alpha1.ReasonIdentityUnverified,
		v1alpha1.ActorPerson},
	{clientmgr.ErrBadKubeconfig, v1alpha1.ConditionRemoteReachable, v1alpha1.ReasonBadKubeconfig, v1alpha1.ActorPerson},
	{clientmgr.ErrCredentialMissing, v1alpha1.ConditionRemoteReachable, v1alpha1.ReasonCredentialMissing,
		v1alpha1.ActorPerson},
	{clientmgr.ErrUnauthorized, v1alpha1.ConditionRemoteReachable, v1alpha1.ReasonUnauthorized, v1alpha1.ActorCluster},
	{clientmgr.ErrForbidden, v1alpha1.ConditionRemoteReachable, v1alpha1.ReasonForbidden, v1alpha1.ActorCluster},
	{clientmgr.ErrSupervisorNotSynced, v1alpha1.ConditionRemoteReachable, v1alpha1.ReasonConnecting, v1alpha1.ActorTime},
	{clientmgr.ErrNotSynced, v1alpha1.ConditionRemoteReachable, v1alpha1.ReasonNotSynced, v1alpha1.ActorTime},
	{clientmgr.ErrNotConnected, v1alpha1.ConditionRemoteReachable, v1alpha1.ReasonUnreachable, v1alpha1.ActorCluster},
}

// Contact turns the reason why there is no client of a cluster into a Problem. lost is false for
// every other error.
func Contact(err error) (p *Problem, lost bool) {
	for _, each := range contact {
		if !errors.Is(err, each.is) {
			continue
		}
		p = made(each.acts, each.condition, each.reason, "%s", err.Error())
		if connection, ok := errors.AsType[*clientmgr.ConnectionError](err); ok {
			p.Since = connection.Since
		}
		return p, true
	}
	return nil, false
}

// IsTimeout reports whether an error is a call's time limit: ours, or the server's.
func IsTimeout(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || apierrors.IsTimeout(err) || apierrors.IsServerTimeout(err)
}

// StaleRetry is when a stale read is repeated: the cache gets that long to catch up.
const StaleRetry = 200 * time.Millisecond

package clusters

import (
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/go-multierror"
)

// The reasons for which there is no client, or why a call through one was not answered with
// authority. Test with errors.Is.
var (
	// ErrUnknown: no Put named a cluster so, or Remove took it away.
	ErrUnknown = errors.New("unknown cluster")
	// ErrBadKubeconfig: the kubeconfig is malformed or asks for something that is refused. A
	// person must act.
	ErrBadKubeconfig = errors.New("bad kubeconfig")
	// ErrCredentialMissing: there is no kubeconfig. A person must act.
	ErrCredentialMissing = errors.New("credential missing")
	// ErrNotConnected: the cluster is not reachable, or does not answer as it should. Retried for
	// ever.
	ErrNotConnected = errors.New("not connected")
	// ErrUnauthorized: the server refuses the credential (401). It is an ErrNotConnected too.
	ErrUnauthorized = fmt.Errorf("credential refused: %w", ErrNotConnected)
	// ErrBusy: our own limits on calls to one cluster (Options.Calls.InFlight, Options.Calls.QPS) let
	// none through in time. It says nothing about the cluster. It is an ErrNotConnected too: there is
	// no answer.
	ErrBusy = fmt.Errorf("too many calls at once: %w", ErrNotConnected)
	// ErrNotSynced: connected, but a declared kind has not synced on this connection yet.
	ErrNotSynced = errors.New("not synced")
	// ErrForbidden: the server refuses the right (403).
	ErrForbidden = errors.New("forbidden")
	// ErrIdentityChanged: the kubeconfig leads to another cluster than before. A person must act.
	ErrIdentityChanged = errors.New("cluster identity changed")
	// ErrIdentityUnverified: the cluster's UID is known, but the server forbids reading it now, so
	// that another cluster may be answering. No option waives it.
	ErrIdentityUnverified = errors.New("cluster identity unverified")
	// ErrKindNotServed: the server answered that it does not serve the kind. This is an answer, not
	// silence; it says nothing about whether an object exists.
	ErrKindNotServed = errors.New("kind not served")
)

// ConnectionError says why there is no client of a cluster, since when, and what was seen.
//
// Its chain holds Reason alone. Cause is kept out of it on purpose: a NotFound met while connecting
// must never read as the absence of the object that the caller asked for.
type ConnectionError struct {
	// Config is the cluster's name.
	Config string
	// Reason is one of this package's sentinels.
	Reason error
	// Message is a sentence for people: stable while the situation lasts, without time stamps, and
	// without anything of a Secret.
	Message string
	// Cause is the error that was met, or nil.
	Cause error
	// Since is when this situation began; zero where it is not known.
	Since time.Time
}

// Error returns Message.
func (e *ConnectionError) Error() string { return e.Message }

// Unwrap returns Reason.
func (e *ConnectionError) Unwrap() error { return e.Reason }

// Age is how long the situation has lasted at the time now, 0 where that is not known.
func (e *ConnectionError) Age(now time.Time) time.Duration {
	if e.Since.IsZero() {
		return 0
	}
	return max(0, now.Sub(e.Since))
}

// HealthError turns the result of Manager.HealthCheck into one *multierror.Error, sorted by
// name, or nil where all are well.
func HealthError(unhealthy map[string]error) error {
	var all *multierror.Error
	for _, name := range sortedKeys(unhealthy) {
		all = multierror.Append(all, fmt.Errorf("%s: %w", name, unhealthy[name]))
	}
	return all.ErrorOrNil()
}

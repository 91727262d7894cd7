package clientmgr

import (
	"errors"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
)

// What package clusters knows of one cluster.
type (
	// State is what is known of one cluster at one moment; Config is the KubevirtConfig's name.
	State = clusters.State
	// Phase is where a cluster stands.
	Phase = clusters.Phase
	// EventHandler maps what happens in the remote clusters to reconcile requests.
	EventHandler = clusters.EventHandler
	// ConnectionError says why there is no client of a cluster.
	ConnectionError = clusters.ConnectionError
	// CallError is a call to a remote cluster that was refused, or not answered with authority.
	CallError = clusters.CallError
)

// The phases of a cluster.
const (
	Disconnected = clusters.Disconnected
	Connecting   = clusters.Connecting
	Connected    = clusters.Connected
	Degraded     = clusters.Degraded
	Stopped      = clusters.Stopped
)

// The reasons of a State, fit for a condition.
const (
	ReasonConnected          = clusters.ReasonConnected
	ReasonAsleep             = clusters.ReasonAsleep
	ReasonConnecting         = clusters.ReasonConnecting
	ReasonCredentialMissing  = clusters.ReasonCredentialMissing
	ReasonBadKubeconfig      = clusters.ReasonBadKubeconfig
	ReasonUnreachable        = clusters.ReasonUnreachable
	ReasonUnauthorized       = clusters.ReasonUnauthorized
	ReasonForbidden          = clusters.ReasonForbidden
	ReasonNotSynced          = clusters.ReasonNotSynced
	ReasonIdentityChanged    = clusters.ReasonIdentityChanged
	ReasonIdentityUnverified = clusters.ReasonIdentityUnverified
	ReasonKindNotServed      = clusters.ReasonKindNotServed
	ReasonWatchStalled       = clusters.ReasonWatchStalled
	ReasonRestored           = clusters.ReasonRestored
	ReasonCandidateRefused   = clusters.ReasonCandidateRefused
)

// The reasons of package clusters for which there is no client, or why a call through one was not
// answered with authority. Test with errors.Is.
var (
	ErrBadKubeconfig      = clusters.ErrBadKubeconfig
	ErrCredentialMissing  = clusters.ErrCredentialMissing
	ErrNotConnected       = clusters.ErrNotConnected
	ErrUnauthorized       = clusters.ErrUnauthorized
	ErrBusy               = clusters.ErrBusy
	ErrNotSynced          = clusters.ErrNotSynced
	ErrForbidden          = clusters.ErrForbidden
	ErrIdentityChanged    = clusters.ErrIdentityChanged
	ErrIdentityUnverified = clusters.ErrIdentityUnverified
	ErrKindNotServed      = clusters.ErrKindNotServed
)

// The reasons that only a KubevirtConfig or a Machine can have.
var (
	// ErrSupervisorNotSynced: the supervisor's own caches have not synced yet, so that nothing is
	// known about any KubevirtConfig.
	ErrSupervisorNotSynced = errors.New("supervisor not synced")
	// ErrConfigNotFound: there is no KubevirtConfig of this name. Only ever said once the supervisor's
	// caches have synced.
	ErrConfigNotFound = errors.New("KubevirtConfig not found")
	// ErrNoReference: the machine refers to no KubevirtConfig.
	ErrNoReference = errors.New("no KubevirtConfig reference")
	// ErrReferenceConflict: the machine's field and annotation name different KubevirtConfigs, or its
	// ledger cannot be read.
	ErrReferenceConflict = errors.New("conflicting KubevirtConfig references")
)

// HealthError turns the result of ClientManager.HealthCheck into one error, sorted by config name,
// or nil where all are well.
func HealthError(unhealthy map[string]error) error { return clusters.HealthError(unhealthy) }

// noun is what people call a cluster here.
const noun = "KubevirtConfig"

// sentence names a KubevirtConfig in a text.
func sentence(config, text string) string { return noun + " " + config + ": " + text }

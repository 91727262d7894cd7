package clusters

import (
	"cmp"
	"maps"
	"slices"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Phase is where a cluster stands.
type Phase string

// The phases of a cluster.
const (
	// Disconnected: there is no connection; a look-up's error says why, and it is tried again.
	Disconnected Phase = "Disconnected"
	// Connecting: a connection is being made, or its caches are syncing.
	Connecting Phase = "Connecting"
	// Connected: clients are handed out. The only phase in which they are.
	Connected Phase = "Connected"
	// Degraded: there is a connection with synced caches, but it cannot be trusted now. It recovers by
	// itself.
	Degraded Phase = "Degraded"
	// Stopped: a person must act before anything is tried again.
	Stopped Phase = "Stopped"
)

// The reasons of a State, fit for a condition.
const (
	// ReasonConnected: all is well.
	ReasonConnected = "Connected"
	// ReasonAsleep: nobody needs the cluster now (Wish.OnDemand). Whoever looks it up wakes it.
	ReasonAsleep = "Asleep"
	// ReasonConnecting: the first attempt is under way.
	ReasonConnecting = "Connecting"
	// ReasonCredentialMissing: no Secret, or no kubeconfig in it.
	ReasonCredentialMissing = "CredentialMissing"
	// ReasonBadKubeconfig: the kubeconfig is malformed, or refused.
	ReasonBadKubeconfig = "BadKubeconfig"
	// ReasonUnreachable: no answer, or not the answer of an API server.
	ReasonUnreachable = "Unreachable"
	// ReasonUnauthorized: the credential is refused (401).
	ReasonUnauthorized = "Unauthorized"
	// ReasonForbidden: a declared kind may not be listed or watched (403).
	ReasonForbidden = "Forbidden"
	// ReasonNotSynced: the caches of this connection fill.
	ReasonNotSynced = "NotSynced"
	// ReasonIdentityChanged: the kube-system namespace has another UID.
	ReasonIdentityChanged = "IdentityChanged"
	// ReasonIdentityUnverified: the cluster's UID is known, but the server forbids reading it now.
	ReasonIdentityUnverified = "IdentityUnverified"
	// ReasonKindNotServed: the server has no resource for a declared kind.
	ReasonKindNotServed = "KindNotServed"
	// ReasonWatchStalled: a watch is silent for too long, or could not be opened again yet.
	ReasonWatchStalled = "WatchStalled"
	// ReasonRestored: the server's data went back in time; the caches are made anew.
	ReasonRestored = "Restored"
	// ReasonCandidateRefused: connected, but the Secret's new contents do not work (yet); the former
	// ones are in use.
	ReasonCandidateRefused = "CandidateRefused"
)

// State is what is known of one cluster at one moment: a value, to be kept or compared freely. It
// changes when something changed, not with each probe.
type State struct {
	// Config is the cluster's name.
	Config string
	// ConfigUID is Wish.UID. An object that was deleted and made again under its name has another one:
	// compare it before writing to the object.
	ConfigUID types.UID
	// Phase is where the cluster stands.
	Phase Phase
	// Reason is one of this package's Reason constants.
	Reason string
	// Message is a sentence for people, stable while the situation lasts.
	Message string
	// Since is when Phase or Reason last changed.
	Since time.Time
	// DisconnectedSince is when the cluster was last seen Connected; zero while it is. It outlives
	// reconnects, and a restart where Wish.DisconnectedSince has it.
	DisconnectedSince time.Time
	// ClusterUID is the UID of namespace kube-system that the present connection has read. It is ""
	// while there is no connection, and while the server forbids the reading.
	ClusterUID string
	// RememberedUID is the UID that the name is known to stand for: read by this process at any time,
	// or that of the Wish. It outlives a disconnect. "" means never read.
	RememberedUID string
	// FormerClusterUIDs are the UIDs of the clusters that the name stood for before a person accepted
	// another one, sorted, without RememberedUID. Source: Wish.FormerUIDs and the acceptances that
	// this process saw.
	FormerClusterUIDs []string
	// SeenUID is the UID of the cluster that a changed kubeconfig leads to, set while Reason is
	// ReasonIdentityChanged.
	SeenUID string
	// IdentityVerified is True once the UID was read, Unknown where reading it is forbidden or was not
	// possible yet, False after a change of identity.
	IdentityVerified metav1.ConditionStatus
	// KubernetesVersion is the server's git version ("v1.37.2"), "" while it is not known.
	KubernetesVersion string
	// RightsChecked is True once Options.Rights have been reviewed on this connection.
	RightsChecked bool
	// MissingRights are those of Options.Rights that the credential lacks, in the order of
	// Options.Rights.
	MissingRights []authorizationv1.ResourceAttributes
	// CredentialExpires is when the kubeconfig's client certificate or token ends, the zero time where
	// neither says. Nobody has verified a token's word.
	CredentialExpires time.Time
	// SharedWith are the other names that lead to the same cluster, sorted.
	SharedWith []string
}

// Ready reports whether clients of this cluster are handed out.
func (s State) Ready() bool { return s.Phase == Connected }

// knownUID is the UID of the cluster as far as it is known: proved now, or remembered.
func (s State) knownUID() string { return cmp.Or(s.ClusterUID, s.RememberedUID) }

// Clone returns a copy that shares nothing.
func (s State) Clone() State {
	s.MissingRights = slices.Clone(s.MissingRights)
	s.SharedWith = slices.Clone(s.SharedWith)
	s.FormerClusterUIDs = slices.Clone(s.FormerClusterUIDs)
	return s
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }

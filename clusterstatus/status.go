package clusterstatus

import (
	"cmp"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/compatibility"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/kubevirt"
)

// Input is everything that a KubevirtConfig's status follows from.
type Input struct {
	// Config is the KubevirtConfig with the status that was written last. It is not changed.
	Config *vitistackv1alpha1.KubevirtConfig
	// State is what the client manager knows. Its zero value means that it does not know the
	// KubevirtConfig yet.
	State clientmgr.State
	// KubeVirt is what was last seen of KubeVirt in the cluster as it is connected now.
	KubeVirt kubevirt.State
	// Schema is what was last seen of the cluster's definitions, as it is connected now; nil where
	// nobody looks at them.
	Schema *compatibility.Answer
	// Usage are the Machines that are placed in the cluster.
	Usage Usage
	// Debts are the virtual machines of Machines that are gone which are still to be deleted in the
	// cluster. They are counted where a KubevirtConfig could otherwise go.
	Debts Usage
	// Orphans are the virtual machines without a Machine, as namespace/name, sorted; nil where nobody
	// can tell.
	Orphans *[]string
	// AllowUnverifiedIdentity says that a cluster can be used fully also where its identity may not be
	// read.
	AllowUnverifiedIdentity bool
	// Now is the time of conditions that change.
	Now time.Time
}

// holdTime is how long a status outlives the beginning of a new connection: a restart of this
// process is no news of the cluster.
const holdTime = 30 * time.Second

// Status returns the status that in.Config should have. It is pure, and returns an equal status for
// its own result: lists are sorted, and times stay while what they time does.
func Status(in Input) vitistackv1alpha1.KubevirtConfigStatus {
	status := *in.Config.Status.DeepCopy()
	status.Name = in.Config.Name
	if created := in.Config.CreationTimestamp; !created.IsZero() {
		status.Created = created.UTC().Format(time.RFC3339)
	}
	status.ClusterUID = clusterUID(in.Config, in.State)
	machines := int32(min(in.Usage.Count, 1<<31-1)) //nolint:gosec // bounded
	status.Machines = &machines
	if held, _ := in.held(); held {
		status.Message = message(in, status.Conditions, status.Message)
		return status
	}
	status.ObservedGeneration = in.Config.Generation
	status.Status = connectionState(in.State)
	status.DisconnectedSince = disconnectedSince(in)
	status.Versions = versions(in, status.Versions)
	for _, condition := range conditions(in) {
		condition.ObservedGeneration = in.Config.Generation
		condition.LastTransitionTime = seconds(in.Now)
		meta.SetStatusCondition(&status.Conditions, condition)
	}
	status.Phase = phase(in, status.Conditions)
	status.Message = message(in, status.Conditions, "")
	return status
}

// held reports whether the former status still stands because there is no verdict yet, and for how
// much longer at most.
func (in Input) held() (held bool, left time.Duration) {
	former := meta.FindStatusCondition(in.Config.Status.Conditions, vitistackv1alpha1.ConditionConnected)
	if former == nil || former.Reason == vitistackv1alpha1.ReasonConnecting {
		return false, 0
	}
	if in.State.Phase == "" { // the client manager has yet to hear of it
		return true, 0
	}
	left = holdTime - in.Now.Sub(in.State.Since)
	return unsettled(in.State) && left > 0, left
}

// unsettled tells a connection that is being made from one that has failed or works.
func unsettled(state clientmgr.State) bool {
	return state.Reason == clientmgr.ReasonConnecting || state.Reason == clientmgr.ReasonNotSynced
}

func connectionState(state clientmgr.State) vitistackv1alpha1.ConnectionState {
	switch {
	case state.Phase == "", state.Reason == clientmgr.ReasonConnecting:
		return vitistackv1alpha1.ConnectionStateConnecting
	default:
		return vitistackv1alpha1.ConnectionState(state.Phase) // the same words
	}
}

func disconnectedSince(in Input) *metav1.Time {
	switch {
	case in.State.Ready():
		return nil
	case in.State.DisconnectedSince.IsZero():
		return in.Config.Status.DisconnectedSince
	}
	since := seconds(in.State.DisconnectedSince)
	return &since
}

// versions are the last ones seen: a cluster that is away has not lost them.
func versions(in Input, former vitistackv1alpha1.KubevirtConfigVersions) vitistackv1alpha1.KubevirtConfigVersions {
	if in.State.KubernetesVersion != "" {
		former.Kubernetes = in.State.KubernetesVersion
	}
	if in.State.Ready() && in.KubeVirt.Answered {
		former.KubeVirt = in.KubeVirt.Version
	}
	return former
}

// clusterUID is the identity that the KubevirtConfig stands for: the recorded one, and without a
// record the one that the client manager has read. Another one replaces the record only where a
// person accepts just that one.
func clusterUID(config *vitistackv1alpha1.KubevirtConfig, state clientmgr.State) string {
	recorded, known := recordedUID(config), state.RememberedUID
	if state.IdentityVerified == metav1.ConditionTrue {
		known = cmp.Or(state.ClusterUID, known)
	}
	if known != "" && (recorded == "" || known == config.Annotations[vitistackv1alpha1.AnnotationAcceptClusterUID]) {
		return known
	}
	return recorded
}

// knownUID is the identity to name in a sentence: the one that the connection has proved, else the
// one that is remembered.
func knownUID(state clientmgr.State) string { return cmp.Or(state.ClusterUID, state.RememberedUID) }

// recordedUID is the identity that was recorded last. The annotation stands in for the status, in
// which definitions of others may not keep it.
func recordedUID(config *vitistackv1alpha1.KubevirtConfig) string {
	if config.Status.ClusterUID != "" {
		return config.Status.ClusterUID
	}
	return config.Annotations[vitistackv1alpha1.AnnotationClusterUID]
}

// phase sums conditions up.
func phase(in Input, conditions []metav1.Condition) vitistackv1alpha1.KubevirtConfigPhase {
	is := func(condition string, status metav1.ConditionStatus) bool {
		return meta.IsStatusConditionPresentAndEqual(conditions, condition, status)
	}
	switch {
	case is(vitistackv1alpha1.ConditionConnected, metav1.ConditionUnknown):
		return vitistackv1alpha1.KubevirtConfigPhasePending
	case in.State.Phase == clientmgr.Stopped, in.State.Reason == clientmgr.ReasonCredentialMissing:
		return vitistackv1alpha1.KubevirtConfigPhaseFailed
	case !is(vitistackv1alpha1.ConditionConnected, metav1.ConditionTrue),
		is(vitistackv1alpha1.ConditionIdentityVerified, metav1.ConditionUnknown) && !in.AllowUnverifiedIdentity:
		return vitistackv1alpha1.KubevirtConfigPhaseDegraded
	}
	for _, condition := range conditions {
		if condition.Status == metav1.ConditionFalse && weighs(condition.Type) {
			return vitistackv1alpha1.KubevirtConfigPhaseDegraded
		}
	}
	return vitistackv1alpha1.KubevirtConfigPhaseReady
}

// weighs tells the conditions without which a cluster cannot be used, or not fully, from those that
// are only worth knowing.
func weighs(condition string) bool {
	switch condition {
	case vitistackv1alpha1.ConditionConnected, vitistackv1alpha1.ConditionIdentityVerified,
		vitistackv1alpha1.ConditionRightsSufficient,
		vitistackv1alpha1.ConditionKubeVirtReady, vitistackv1alpha1.ConditionSchemaCompatible:
		return true
	default:
		return false
	}
}

// seconds is the precision that the API keeps.
func seconds(t time.Time) metav1.Time { return metav1.NewTime(t.Truncate(time.Second)) }

package clusterstatus

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/kubevirt"
)

var (
	noon    = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	working = kubevirt.State{Answered: true, Installed: true, Ready: true, Version: "v1.8.2", Message: "KubeVirt works"}
)

// east is a KubevirtConfig that nobody has written a status of.
func east() *vitistackv1alpha1.KubevirtConfig {
	return &vitistackv1alpha1.KubevirtConfig{
		ObjectMeta: metav1.ObjectMeta{
			Name: "east", Namespace: "configs", UID: "config-uid", Generation: 3,
			CreationTimestamp: metav1.NewTime(noon.Add(-time.Hour)),
		},
		Spec: vitistackv1alpha1.KubevirtConfigSpec{KubeconfigSecretRef: "east-kubeconfig"},
	}
}

// well is the state of a cluster without any fault.
func well() clientmgr.State {
	return clientmgr.State{
		Config: "east", Phase: clientmgr.Connected, Reason: clientmgr.ReasonConnected, Message: "connected",
		Since:      noon.Add(-time.Minute),
		ClusterUID: "uid-east", RememberedUID: "uid-east", IdentityVerified: metav1.ConditionTrue,
		KubernetesVersion: "v1.37.2", RightsChecked: true,
	}
}

// away is well after its connection was lost at noon less ago: no cluster proves its identity any
// more.
func away(ago time.Duration) clientmgr.State {
	state := well()
	state.Phase, state.Reason, state.Message = clientmgr.Disconnected, clientmgr.ReasonUnreachable, "no answer in time"
	state.ClusterUID, state.IdentityVerified = "", metav1.ConditionUnknown
	state.Since, state.DisconnectedSince = noon.Add(-ago), noon.Add(-ago)
	return state
}

// unproven is well in a cluster that never let its identity be read.
func unproven() clientmgr.State {
	state := well()
	state.ClusterUID, state.RememberedUID, state.IdentityVerified = "", "", metav1.ConditionUnknown
	return state
}

// input is a cluster in use, without any fault.
func input(change ...func(*Input)) Input {
	in := Input{Config: east(), State: well(), KubeVirt: working,
		Usage: Usage{Count: 2, Names: []string{"a/one", "b/two"}}, Now: noon}
	for _, each := range change {
		each(&in)
	}
	return in
}

// settled is the status of input, written an hour ago.
func settled() vitistackv1alpha1.KubevirtConfigStatus {
	return Status(input(func(in *Input) { in.Now = noon.Add(-time.Hour) }))
}

// summary is a status in lines: what people see of it.
func summary(status vitistackv1alpha1.KubevirtConfigStatus) []string {
	since := "-"
	if status.DisconnectedSince != nil {
		since = status.DisconnectedSince.UTC().Format(time.TimeOnly)
	}
	lines := []string{
		strings.Join([]string{string(status.Phase), string(status.Status), status.ClusterUID, status.Versions.Kubernetes,
			status.Versions.KubeVirt, since}, " "),
		status.Message,
	}
	for _, c := range status.Conditions {
		lines = append(lines, strings.Join([]string{c.Type, string(c.Status), c.Reason,
			c.LastTransitionTime.UTC().Format(time.TimeOnly)}, " "))
	}
	return lines
}

func TestStatus(t *testing.T) {
	formerly := func(in *Input) { in.Config.Status = settled() }
	for name, c := range map[string]struct {
		reason string
		in     Input
		want   []string
	}{
		"well": {
			reason: "all conditions are True, and the phase says so",
			in:     input(),
			want: []string{"Ready Connected uid-east v1.37.2 v1.8.2 -", "connected",
				"Connected True Connected 12:00:00", "IdentityVerified True IdentityVerified 12:00:00",
				"RightsSufficient True RightsSufficient 12:00:00", "KubeVirtReady True KubeVirtReady 12:00:00"},
		},
		"unknown to the client manager": {
			reason: "there is no verdict before anybody has looked",
			in:     input(func(in *Input) { in.State = clientmgr.State{} }),
			want: []string{"Pending Connecting    -", "connecting",
				"Connected Unknown Connecting 12:00:00", "IdentityVerified Unknown NotChecked 12:00:00",
				"RightsSufficient Unknown NotChecked 12:00:00", "KubeVirtReady Unknown NotChecked 12:00:00"},
		},
		"away": {
			reason: "silence says nothing about KubeVirt; what was known of identity and versions stays",
			in:     input(formerly, func(in *Input) { in.State = away(2 * time.Minute) }),
			want: []string{"Degraded Disconnected uid-east v1.37.2 v1.8.2 11:58:00", "no answer in time",
				"Connected False Unreachable 12:00:00", "IdentityVerified Unknown NotChecked 12:00:00",
				"RightsSufficient True RightsSufficient 11:00:00", "KubeVirtReady Unknown NotChecked 12:00:00"},
		},
		"restart of this process": {
			reason: "connecting anew is no news of the cluster: nothing changes before there is a verdict",
			in: input(formerly, func(in *Input) {
				in.State = clientmgr.State{Config: "east", Phase: clientmgr.Connecting, Reason: clientmgr.ReasonConnecting,
					Message: "connecting",
					Since:   noon.Add(-time.Second), DisconnectedSince: noon.Add(-time.Second), ClusterUID: "uid-east",
					IdentityVerified: metav1.ConditionUnknown}
			}),
			want: summary(settled()),
		},
		"restart of this process while the cluster was away": {
			reason: "the time since when it is away outlives the process (kueue#13238)",
			in: input(func(in *Input) {
				in.Config.Status = Status(input(func(in *Input) { in.State = away(2 * time.Hour) }))
				in.State = away(2 * time.Hour)
				in.State.Reason, in.State.Phase, in.State.Since = clientmgr.ReasonConnecting, clientmgr.Connecting, noon
				in.State.DisconnectedSince = in.Config.Status.DisconnectedSince.Time
			}),
			want: []string{"Degraded Disconnected uid-east v1.37.2  10:00:00", "no answer in time",
				"Connected False Unreachable 12:00:00", "IdentityVerified Unknown NotChecked 12:00:00",
				"RightsSufficient True RightsSufficient 12:00:00", "KubeVirtReady Unknown NotChecked 12:00:00"},
		},
		"caches that do not fill": {
			reason: "the former status is not held for ever",
			in: input(formerly, func(in *Input) {
				in.State.Phase, in.State.Reason, in.State.Message = clientmgr.Connecting, clientmgr.ReasonNotSynced,
					"the caches have not synced yet"
				in.State.Since, in.State.DisconnectedSince = noon.Add(-holdTime), noon.Add(-holdTime)
			}),
			want: []string{"Degraded Connecting uid-east v1.37.2 v1.8.2 11:59:30", "the caches have not synced yet",
				"Connected False NotSynced 12:00:00", "IdentityVerified True IdentityVerified 11:00:00",
				"RightsSufficient True RightsSufficient 11:00:00", "KubeVirtReady Unknown NotChecked 12:00:00"},
		},
		"connected again": {
			reason: "the time of the disconnect goes with it",
			in: input(func(in *Input) {
				in.Config.Status = Status(input(func(in *Input) { in.State, in.Now = away(2*time.Hour), noon.Add(-time.Hour) }))
			}),
			want: []string{"Ready Connected uid-east v1.37.2 v1.8.2 -", "connected",
				"Connected True Connected 12:00:00", "IdentityVerified True IdentityVerified 12:00:00",
				"RightsSufficient True RightsSufficient 11:00:00", "KubeVirtReady True KubeVirtReady 12:00:00"},
		},
		"no kubeconfig": {
			reason: "a person must act: Failed, though the client manager goes on looking",
			in: input(formerly, func(in *Input) {
				in.State = away(0)
				in.State.Reason, in.State.Message = clientmgr.ReasonCredentialMissing,
					"failed to get kubeconfig secret configs/east-kubeconfig"
			}),
			want: []string{"Failed Disconnected uid-east v1.37.2 v1.8.2 12:00:00",
				"failed to get kubeconfig secret configs/east-kubeconfig",
				"Connected False CredentialMissing 12:00:00", "IdentityVerified Unknown NotChecked 12:00:00",
				"RightsSufficient True RightsSufficient 11:00:00", "KubeVirtReady Unknown NotChecked 12:00:00"},
		},
		"another cluster": {
			reason: "I7: stopped, not followed; the recorded UID stays and the message says what would accept the new one",
			in: input(formerly, func(in *Input) {
				in.State = away(0)
				in.State.Phase, in.State.Reason, in.State.SeenUID = clientmgr.Stopped, clientmgr.ReasonIdentityChanged, "uid-west"
				in.State.IdentityVerified, in.State.Message = metav1.ConditionFalse,
					"KubevirtConfig east leads to cluster uid-west, but stood for cluster uid-east"
			}),
			want: []string{"Failed Stopped uid-east v1.37.2 v1.8.2 12:00:00",
				"KubevirtConfig east leads to cluster uid-west, but stood for cluster uid-east; annotate it with vitistack.io/accept-cluster-uid=uid-west to accept that",
				"Connected False IdentityChanged 12:00:00", "IdentityVerified False IdentityChanged 12:00:00",
				"RightsSufficient True RightsSufficient 11:00:00", "KubeVirtReady Unknown NotChecked 12:00:00"},
		},
		"identity forbidden": {
			reason: "nothing is placed there, so the cluster cannot be used fully; no UID is recorded",
			in: input(func(in *Input) {
				in.State = unproven()
			}),
			want: []string{"Degraded Connected  v1.37.2 v1.8.2 -", "reading the namespace kube-system is forbidden",
				"Connected True Connected 12:00:00", "IdentityVerified Unknown IdentityUnverified 12:00:00",
				"RightsSufficient True RightsSufficient 12:00:00", "KubeVirtReady True KubeVirtReady 12:00:00"},
		},
		"identity forbidden and not needed": {
			reason: "--allow-unverified-identity makes such a cluster usable",
			in: input(func(in *Input) {
				in.State, in.AllowUnverifiedIdentity = unproven(), true
			}),
			want: []string{"Ready Connected  v1.37.2 v1.8.2 -", "reading the namespace kube-system is forbidden",
				"Connected True Connected 12:00:00", "IdentityVerified Unknown IdentityUnverified 12:00:00",
				"RightsSufficient True RightsSufficient 12:00:00", "KubeVirtReady True KubeVirtReady 12:00:00"},
		},
		"known identity forbidden": {
			reason: "Another cluster may be answering under a KubevirtConfig whose cluster is known, and no flag says that this is well.",
			in: input(formerly, func(in *Input) {
				in.State, in.AllowUnverifiedIdentity = away(time.Minute), true
				in.State.Reason, in.State.Message = clientmgr.ReasonIdentityUnverified,
					"the identity of the cluster is known but cannot be verified"
			}),
			want: []string{"Degraded Disconnected uid-east v1.37.2 v1.8.2 11:59:00",
				"cluster uid-east is expected, but reading the namespace kube-system is forbidden, so that another cluster may be answering; " +
					"let the credential get that namespace",
				"Connected False IdentityUnverified 12:00:00", "IdentityVerified Unknown IdentityUnverified 12:00:00",
				"RightsSufficient True RightsSufficient 11:00:00", "KubeVirtReady Unknown NotChecked 12:00:00"},
		},
		"rights missing": {
			reason: "they are listed in one order, whatever the review's",
			in: input(func(in *Input) {
				in.State.MissingRights = []authorizationv1.ResourceAttributes{
					{Group: "kubevirt.io", Resource: "virtualmachines", Verb: "patch"}, {Resource: "namespaces", Verb: "get"},
					{Group: "kubevirt.io", Resource: "virtualmachines", Verb: "create"},
				}
			}),
			want: []string{"Degraded Connected uid-east v1.37.2 v1.8.2 -",
				"missing: namespaces (get), virtualmachines.kubevirt.io (create, patch)",
				"Connected True Connected 12:00:00", "IdentityVerified True IdentityVerified 12:00:00",
				"RightsSufficient False RightsMissing 12:00:00", "KubeVirtReady True KubeVirtReady 12:00:00"},
		},
		"no KubeVirt": {
			reason: "the version goes with it",
			in:     input(formerly, func(in *Input) { in.KubeVirt = kubevirt.Of(nil) }),
			want: []string{"Degraded Connected uid-east v1.37.2  -", "KubeVirt is not installed: there is no KubeVirt object",
				"Connected True Connected 11:00:00", "IdentityVerified True IdentityVerified 11:00:00",
				"RightsSufficient True RightsSufficient 11:00:00", "KubeVirtReady False KubeVirtMissing 12:00:00"},
		},
		"KubeVirt not seen": {
			reason: "a look without an answer makes nothing worse than unknown",
			in: input(formerly, func(in *Input) {
				in.KubeVirt = kubevirt.State{Message: "KubeVirt could not be looked at"}
			}),
			want: []string{"Ready Connected uid-east v1.37.2 v1.8.2 -", "KubeVirt could not be looked at",
				"Connected True Connected 11:00:00", "IdentityVerified True IdentityVerified 11:00:00",
				"RightsSufficient True RightsSufficient 11:00:00", "KubeVirtReady Unknown NotChecked 12:00:00"},
		},
		"paused": {
			reason: "it works, and takes no new Machines",
			in:     input(func(in *Input) { in.Config.Spec.Paused = true }),
			want: []string{"Ready Connected uid-east v1.37.2 v1.8.2 -", "connected; no new Machines are placed here",
				"Connected True Paused 12:00:00", "IdentityVerified True IdentityVerified 12:00:00",
				"RightsSufficient True RightsSufficient 12:00:00", "KubeVirtReady True KubeVirtReady 12:00:00"},
		},
		"degraded": {
			reason: "the phase of the connection is told in the same word",
			in: input(formerly, func(in *Input) {
				in.State = away(time.Second)
				in.State.Phase, in.State.Reason, in.State.Message = clientmgr.Degraded, clientmgr.ReasonWatchStalled,
					"a watch is silent for too long"
				in.State.ClusterUID, in.State.IdentityVerified = "uid-east", metav1.ConditionTrue // its connection is there
			}),
			want: []string{"Degraded Degraded uid-east v1.37.2 v1.8.2 11:59:59", "a watch is silent for too long",
				"Connected False WatchStalled 12:00:00", "IdentityVerified True IdentityVerified 11:00:00",
				"RightsSufficient True RightsSufficient 11:00:00", "KubeVirtReady Unknown NotChecked 12:00:00"},
		},
		"two configs of one cluster": {
			reason: "each names the other",
			in:     input(func(in *Input) { in.State.SharedWith = []string{"east-too", "west"} }),
			want: []string{"Ready Connected uid-east v1.37.2 v1.8.2 -",
				"connected; the same cluster as KubevirtConfig east-too, west",
				"Connected True Connected 12:00:00", "IdentityVerified True IdentityVerified 12:00:00",
				"RightsSufficient True RightsSufficient 12:00:00", "KubeVirtReady True KubeVirtReady 12:00:00",
				"NotShared False Shared 12:00:00"},
		},
		"being deleted": {
			reason: "what it waits for is more urgent than anything else, also while there is no verdict",
			in: input(formerly, func(in *Input) {
				in.Config.DeletionTimestamp = &metav1.Time{Time: noon}
				in.State = clientmgr.State{}
				in.Usage = usageOf([]string{"a/7", "a/2", "a/3", "a/4", "a/5", "a/6", "a/1"})
			}),
			want: append([]string{"Ready Connected uid-east v1.37.2 v1.8.2 -",
				"being deleted; waits for 7 Machines placed here: a/1, a/2, a/3, a/4, a/5 and 2 more"}, summary(settled())[2:]...),
		},
		"somebody else's condition": {
			reason: "SchemaCompatible is written elsewhere: it stays, and has a say in the phase",
			in: input(func(in *Input) {
				in.Config.Status.Conditions = []metav1.Condition{{Type: vitistackv1alpha1.ConditionSchemaCompatible,
					Status: metav1.ConditionFalse,
					Reason: vitistackv1alpha1.ReasonSchemaIncompatible, Message: "spec.template is dropped",
					LastTransitionTime: metav1.NewTime(noon)}}
			}),
			want: []string{"Degraded Connected uid-east v1.37.2 v1.8.2 -", "spec.template is dropped",
				"SchemaCompatible False SchemaIncompatible 12:00:00",
				"Connected True Connected 12:00:00", "IdentityVerified True IdentityVerified 12:00:00",
				"RightsSufficient True RightsSufficient 12:00:00", "KubeVirtReady True KubeVirtReady 12:00:00"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			before := c.in.Config.DeepCopy()
			got := Status(c.in)
			if diff := cmp.Diff(c.want, summary(got)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", c.reason, diff)
			}
			if diff := cmp.Diff(before, c.in.Config); diff != "" {
				t.Errorf("the argument was changed: -before +after:\n%s", diff)
			}
			again := c.in
			again.Config, again.Now = c.in.Config.DeepCopy(), noon.Add(time.Nanosecond)
			again.Config.Status = got
			if diff := cmp.Diff(got, Status(again)); diff != "" {
				t.Errorf("not stable: -first +second:\n%s", diff)
			}
			for _, condition := range got.Conditions {
				if condition.Reason == "" || condition.ObservedGeneration == 0 &&
					condition.Type != vitistackv1alpha1.ConditionSchemaCompatible {
					t.Errorf("condition %s lacks its reason or generation", condition.Type)
				}
			}
		})
	}
}

func TestStatusFields(t *testing.T) {
	got := Status(input())
	got.Conditions = nil
	want := vitistackv1alpha1.KubevirtConfigStatus{
		ObservedGeneration: 3, Name: "east", Phase: vitistackv1alpha1.KubevirtConfigPhaseReady,
		Status:  vitistackv1alpha1.ConnectionStateConnected,
		Message: "connected", Created: "2026-03-01T11:00:00Z", ClusterUID: "uid-east", Machines: new(int32(2)),
		Versions: vitistackv1alpha1.KubevirtConfigVersions{Kubernetes: "v1.37.2", KubeVirt: "v1.8.2"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestClusterUID(t *testing.T) {
	for name, c := range map[string]struct {
		reason                         string
		inStatus, annotation, accepted string
		seen, remembered               string
		verified                       metav1.ConditionStatus
		want                           string
	}{
		"first contact":  {reason: "the first one seen is the one", seen: "new", verified: "True", want: "new"},
		"no contact yet": {reason: "nothing is recorded before the UID was read", verified: "Unknown"},
		"read before": {reason: "what an earlier connection of this process has read is recorded", remembered: "new",
			verified: "Unknown", want: "new"},
		"not verified": {reason: "a UID that the client manager did not verify is nobody's", seen: "new",
			verified: "Unknown"},
		"accepted, and away": {reason: "an accepted cluster that went away at once is recorded", inStatus: "old",
			accepted: "new", remembered: "new", verified: "Unknown", want: "new"},
		"same": {reason: "the recorded one stays", inStatus: "old", annotation: "old", seen: "old",
			verified: "True", want: "old"},
		"pruned from status": {reason: "a definition of others keeps the annotation alone", annotation: "old", seen: "new",
			verified: "True", want: "old"},
		"not accepted": {reason: "an identity stays until a person accepts another one (I7)", inStatus: "old", seen: "new", verified: "True", want: "old"},
		"another accepted": {reason: "consent is for one UID", inStatus: "old", accepted: "third", seen: "new",
			verified: "True", want: "old"},
		"accepted": {reason: "consent for just this UID", inStatus: "old", accepted: "new", seen: "new",
			verified: "True", want: "new"},
		"accepted, not there": {reason: "consent alone moves nothing", inStatus: "old", accepted: "new", seen: "old",
			verified: "True", want: "old"},
		"accepted, stopped": {reason: "the client manager has to agree", inStatus: "old", accepted: "new", seen: "new",
			verified: "False", want: "old"},
		"status and annotation differ": {
			reason: "the status is the operator's own", inStatus: "old", annotation: "typo", seen: "old", verified: "True",
			want: "old",
		},
	} {
		t.Run(name, func(t *testing.T) {
			config := east()
			config.Status.ClusterUID = c.inStatus
			config.Annotations = map[string]string{
				vitistackv1alpha1.AnnotationClusterUID: c.annotation, vitistackv1alpha1.AnnotationAcceptClusterUID: c.accepted,
			}
			got := clusterUID(config, clientmgr.State{ClusterUID: c.seen, RememberedUID: c.remembered,
				IdentityVerified: c.verified})
			if got != c.want {
				t.Errorf("%s: got %q, want %q", c.reason, got, c.want)
			}
		})
	}
}

func TestUsageBlocking(t *testing.T) {
	for name, c := range map[string]struct {
		reason string
		names  []string
		want   string
	}{
		"one": {reason: "one Machine is told in the singular", names: []string{"a/x"}, want: "being deleted; waits for 1 Machine placed here: a/x"},
		"five": {reason: "all are named", names: []string{"e", "d", "c", "b", "a"},
			want: "being deleted; waits for 5 Machines placed here: a, b, c, d, e"},
		"six": {reason: "the first five are", names: []string{"f", "e", "d", "c", "b", "a"},
			want: "being deleted; waits for 6 Machines placed here: a, b, c, d, e and 1 more"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := usageOf(c.names).blocking(); got != c.want {
				t.Errorf("%s: got %q, want %q", c.reason, got, c.want)
			}
		})
	}
}

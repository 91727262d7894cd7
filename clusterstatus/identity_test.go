package clusterstatus

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

// TestNamesake: a KubevirtConfig was deleted and made again for another cluster, and the client
// manager still has the former one.
func TestNamesake(t *testing.T) {
	w := newWorld(t, east(), placedIn("east", "one"))
	former := well()
	former.ConfigUID = "former-config-uid"
	former.ClusterUID, former.RememberedUID = "uid-of-another-cluster", "uid-of-another-cluster"
	w.remotes.SetState(former)
	if again := w.reconcile(); again != time.Second {
		t.Errorf("The client manager hears of the new object soon, so the next look is in %s, got %s", time.Second, again)
	}
	config := w.east()
	got := []string{config.Annotations[vitistackv1alpha1.AnnotationClusterUID], config.Status.ClusterUID,
		string(config.Status.Phase)}
	if diff := cmp.Diff([]string{"", "", string(vitistackv1alpha1.KubevirtConfigPhasePending)}, got); diff != "" {
		t.Errorf("The new object got the identity of its namesake (-want +got):\n%s", diff)
	}
	own := well()
	own.ConfigUID = config.UID
	w.remotes.SetState(own)
	w.reconcile()
	if got := w.east().Status.ClusterUID; got != "uid-east" {
		t.Errorf("Its own identity is recorded once it is known, got %q", got)
	}
}

// TestFormerIdentity: rebuilt clusters are accepted, and what was recorded under their former
// identities can still be found.
func TestFormerIdentity(t *testing.T) {
	w := newWorld(t, east())
	w.remotes.SetState(well())
	w.reconcile()
	w.acceptRebuilt("uid-rebuilt", "uid-east")
	w.wantIdentity("The accepted identity counts from now on.", "uid-rebuilt", "uid-east")
	w.took()
	w.reconcile()
	w.wantPatches("An accepted identity is written down once.", 0)

	w.acceptRebuilt("uid-newest", "uid-between", "uid-east", "uid-rebuilt")
	w.wantIdentity("An acceptance that only the client manager has seen is recorded too.",
		"uid-newest", "uid-east", "uid-rebuilt", "uid-between")
	w.acceptRebuilt("uid-east", "uid-between", "uid-newest", "uid-rebuilt")
	w.wantIdentity("An identity that comes back is no former one.", "uid-east", "uid-rebuilt", "uid-between", "uid-newest")
}

// acceptRebuilt lets a person accept a cluster, and the client manager connect to it. It fails the
// test where the former identities are not written together with the new one: a crash between two
// patches would lose them.
func (w *world) acceptRebuilt(uid string, former ...string) {
	w.t.Helper()
	config := w.east()
	metav1.SetMetaDataAnnotation(&config.ObjectMeta, vitistackv1alpha1.AnnotationAcceptClusterUID, uid)
	if err := w.reconciler.options.Live.(client.Client).Update(w.t.Context(), config); err != nil {
		w.t.Fatal(err)
	}
	rebuilt := well()
	rebuilt.ClusterUID, rebuilt.RememberedUID, rebuilt.FormerClusterUIDs = uid, uid, former
	w.remotes.SetState(rebuilt)
	w.took()
	w.reconcile()
	for _, patch := range w.patches {
		if strings.Contains(patch, `"`+vitistackv1alpha1.AnnotationClusterUID+`"`) &&
			strings.Contains(patch, `"`+vitistackv1alpha1.AnnotationFormerClusterUIDs+`"`) {
			return
		}
	}
	w.t.Errorf("No patch has the new identity and the former ones, got:\n%s", strings.Join(w.patches, "\n"))
}

// wantIdentity compares the identity of east, which status and annotation have, and the former
// ones.
func (w *world) wantIdentity(reason, uid string, former ...string) {
	w.t.Helper()
	config := w.east()
	got := append([]string{config.Annotations[vitistackv1alpha1.AnnotationClusterUID], config.Status.ClusterUID},
		vitistackv1alpha1.FormerClusterUIDs(config)...)
	if diff := cmp.Diff(append([]string{uid, uid}, former...), got); diff != "" {
		w.t.Errorf("%s (-want +got):\n%s", reason, diff)
	}
}

func TestNotShared(t *testing.T) {
	shared := well()
	shared.SharedWith = []string{"west"}
	told := func(in *Input) { in.Config.Status = Status(input(func(in *Input) { in.State = shared })) }
	cases := map[string]struct {
		reason string
		state  clientmgr.State
		former func(*Input)
		want   string
	}{
		"Alone": {
			reason: "A cluster that never had two KubevirtConfigs is not spoken of.",
			state:  well(),
			former: func(*Input) {},
		},
		"Shared": {
			reason: "Two KubevirtConfigs that lead to one cluster are named, with what to do.",
			state:  shared,
			former: func(*Input) {},
			want:   "False KubevirtConfig west leads to the same cluster uid-east; keep one KubevirtConfig for each cluster",
		},
		"AloneAgain": {
			reason: "Once the other one is gone the condition says so.",
			state:  well(),
			former: told,
			want:   "True no other KubevirtConfig leads to this cluster",
		},
		"AloneAndAway": {
			reason: "A remembered identity tells as well that the other KubevirtConfig is gone.",
			state:  away(time.Minute),
			former: told,
			want:   "True no other KubevirtConfig leads to this cluster",
		},
		"Silent": {
			reason: "While the identity is not known the former word stands.",
			state:  clientmgr.State{Config: "east", Phase: clientmgr.Disconnected, Reason: clientmgr.ReasonUnreachable},
			former: told,
			want:   "False KubevirtConfig west leads to the same cluster uid-east; keep one KubevirtConfig for each cluster",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			status := Status(input(tc.former, func(in *Input) { in.State = tc.state }))
			got := ""
			if c := meta.FindStatusCondition(status.Conditions, vitistackv1alpha1.ConditionNotShared); c != nil {
				got = string(c.Status) + " " + c.Message
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
			if status.Phase == vitistackv1alpha1.KubevirtConfigPhaseDegraded && tc.state.Ready() {
				t.Errorf("%s It degrades nothing, and the phase is %s", tc.reason, status.Phase)
			}
		})
	}
}

package clusterstatus

import (
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
	former.ConfigUID, former.ClusterUID = "former-config-uid", "uid-of-another-cluster"
	w.remotes.SetState(former)
	if again := w.reconcile(); again != time.Second {
		t.Errorf("The client manager hears of the new object soon, so the next look is in %s, got %s", time.Second, again)
	}
	config := w.east()
	got := []string{config.Annotations[vitistackv1alpha1.AnnotationClusterUID], config.Status.ClusterUID, string(config.Status.Phase)}
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

// TestFormerIdentity: a rebuilt cluster is accepted, and what was recorded under its former
// identity can still be found.
func TestFormerIdentity(t *testing.T) {
	w := newWorld(t, east())
	w.remotes.SetState(well())
	w.reconcile()
	config := w.east()
	metav1.SetMetaDataAnnotation(&config.ObjectMeta, vitistackv1alpha1.AnnotationAcceptClusterUID, "uid-rebuilt")
	if err := w.reconciler.options.Live.(client.Client).Update(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	rebuilt := well()
	rebuilt.ClusterUID = "uid-rebuilt"
	w.remotes.SetState(rebuilt)
	w.reconcile()
	config = w.east()
	if diff := cmp.Diff([]string{"uid-east"}, vitistackv1alpha1.FormerClusterUIDs(config)); diff != "" {
		t.Errorf("The former identity is lost, and with it every Machine that names it (-want +got):\n%s", diff)
	}
	got := []string{config.Annotations[vitistackv1alpha1.AnnotationClusterUID], config.Status.ClusterUID}
	if diff := cmp.Diff([]string{"uid-rebuilt", "uid-rebuilt"}, got); diff != "" {
		t.Errorf("The accepted identity counts from now on (-want +got):\n%s", diff)
	}
	w.took()
	w.reconcile()
	w.wantPatches("An accepted identity is written down once.", 0)
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

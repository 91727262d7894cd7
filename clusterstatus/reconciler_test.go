package clusterstatus

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

func TestWritesOnce(t *testing.T) {
	w := newWorld(t, east(), placedIn("east", "one"), placedIn("west", "other"))
	w.remotes.SetState(well())
	if again := w.reconcile(); again != lookInterval {
		t.Errorf("the next look is in %s, want %s", again, lookInterval)
	}
	w.wantPatches("identity with finalizer, status", 2)
	w.wantEvents("Normal Connected contact was made")
	config := w.east()
	if got := config.Annotations[vitistackv1alpha1.AnnotationClusterUID]; got != "uid-east" {
		t.Errorf("the annotation is %q", got)
	}
	want := Status(Input{Config: east(), State: well(), KubeVirt: working, Usage: usageOf([]string{"tenants/one"}),
		Now: noon})
	want.ObservedGeneration = config.Generation
	if diff := cmp.Diff(want, config.Status); diff != "" {
		t.Errorf("status: -want +got:\n%s", diff)
	}
	for range 20 {
		w.clock.SetTime(w.clock.Now().Add(time.Second))
		w.reconcile()
	}
	w.wantPatches("nothing changed", 0)
	if w.remote.lists != 1 {
		t.Errorf("KubeVirt was looked at %d times, want 1", w.remote.lists)
	}
	w.wantEvents()
}

func TestRestartWritesNothing(t *testing.T) {
	w := newWorld(t, east(), placedIn("east", "one"))
	w.remotes.SetState(well())
	w.reconcile()
	w.took()
	w.wantEvents("Normal Connected contact was made")
	w.reconciler = NewReconciler(w.supervisor, w.remotes, w.reconciler.options)
	for _, state := range []clientmgr.State{
		{Config: "east", Phase: clientmgr.Disconnected, Reason: clientmgr.ReasonConnecting, Since: noon,
			DisconnectedSince: noon},
		{Config: "east", Phase: clientmgr.Connecting, Reason: clientmgr.ReasonNotSynced, Since: noon,
			DisconnectedSince: noon},
		well(),
	} {
		w.remotes.SetState(state)
		w.reconcile()
	}
	w.wantPatches("a new process is no news of the cluster", 0)
	w.wantEvents()
}

func TestFlapping(t *testing.T) {
	w := newWorld(t, east())
	w.remotes.SetState(well())
	w.reconcile()
	w.took()
	w.wantEvents("Normal Connected contact was made")
	for range 50 { // all over before anybody looks
		w.remotes.SetState(away(0))
		w.remotes.SetState(well())
	}
	w.reconcile()
	w.wantPatches("what is over changed nothing", 0)
	w.wantEvents()

	w.remotes.SetState(away(0))
	w.reconcile()
	w.reconcile()
	w.wantPatches("a disconnect is one patch", 1)
	w.wantEvents("Warning Disconnected contact was lost (Unreachable): no answer in time")
	if since := w.east().Status.DisconnectedSince; since == nil || !since.Time.Equal(noon) {
		t.Errorf("disconnectedSince is %v", since)
	}
	w.remotes.SetState(well())
	w.reconcile()
	w.wantPatches("a reconnect is one patch", 1)
	w.wantEvents("Normal Connected contact was made")
	if since := w.east().Status.DisconnectedSince; since != nil {
		t.Errorf("disconnectedSince is %v", since)
	}
}

func TestManyMachines(t *testing.T) {
	w := newWorld(t, east())
	w.remotes.SetState(well())
	w.reconcile()
	w.took()
	w.blind = true
	for i := range 300 { // 30 a second, each an event
		w.cached = append(w.cached, *placedIn("east", fmt.Sprintf("m%03d", i)))
		w.clock.SetTime(noon.Add(time.Duration(i) * time.Second / 30))
		w.reconcile()
	}
	if again := w.reconcile(); again <= 0 || again > countInterval {
		t.Fatalf("the last ones are counted in %s", again)
	}
	w.clock.SetTime(w.clock.Now().Add(countInterval))
	w.reconcile()
	if got := *w.east().Status.Machines; got != 300 {
		t.Errorf("%d Machines are counted", got)
	}
	if patches := w.took(); patches < 2 || patches > 4 {
		t.Errorf("300 Machines in 10 s cost %d patches, want the finalizer and a count each 5 s at most", patches)
	}
	w.remotes.SetState(away(0))
	w.cached = append(w.cached, *placedIn("east", "late"))
	w.reconcile()
	w.wantPatches("what is more than a count does not wait", 1)
	if got := *w.east().Status.Machines; got != 301 {
		t.Errorf("%d Machines are counted", got)
	}
}

func TestFinalizer(t *testing.T) {
	one, two := placedIn("east", "one"), placedIn("east", "two")
	w := newWorld(t, east(), one, two)
	w.remotes.SetState(well())
	w.reconcile()
	w.remove(w.east())
	w.remotes.SetState(away(0))
	w.reconcile()
	if got := w.east().Status.Message; got != "being deleted; waits for 2 Machines placed here: tenants/one, tenants/two" {
		t.Errorf("the message is %q", got)
	}
	w.remove(one)
	w.clock.SetTime(noon.Add(time.Minute))
	w.reconcile()
	if got := w.east().Status.Message; got != "being deleted; waits for 1 Machine placed here: tenants/two" {
		t.Errorf("the message is %q", got)
	}
	w.remove(two)
	w.reconcile()
	if w.east() != nil {
		t.Error("nothing refers to it, and it is still there")
	}
	w.reconcile()
	if len(w.reconciler.records.locked.byKey) != 0 || len(w.reconciler.metrics.locked.statuses) != 0 {
		t.Error("it is gone, and still remembered")
	}
}

func TestFinalizerStays(t *testing.T) {
	invalid := placedIn("east", "one")
	invalid.Annotations = map[string]string{
		vitistackv1alpha1.AnnotationPlacement: "{", vitistackv1alpha1.AnnotationKubevirtConfig: "east",
	}
	for name, c := range map[string]struct {
		reason  string
		machine *vitistackv1alpha1.Machine
		blind   bool
		gone    bool
	}{
		"the cache is behind": {reason: "absence is proven by the API server alone", machine: placedIn("east", "one"),
			blind: true},
		"unreadable ledger": {reason: "somebody's slip does not cut the way into the cluster", machine: invalid},
		"placed elsewhere":  {reason: "it does not refer to this cluster", machine: placedIn("west", "one"), gone: true},
	} {
		t.Run(name, func(t *testing.T) {
			config := east()
			config.Finalizers = []string{vitistackv1alpha1.FinalizerKubevirtConfig, "example.com/other"}
			w := newWorld(t, config, c.machine)
			w.blind = c.blind
			w.remotes.SetState(well())
			w.remove(w.east())
			again := w.reconcile()
			want := []string{"example.com/other"}
			if !c.gone {
				want = append([]string{vitistackv1alpha1.FinalizerKubevirtConfig}, want...)
				if again > countInterval {
					t.Errorf("it is looked at again in %s", again)
				}
			}
			if diff := cmp.Diff(want, w.east().Finalizers); diff != "" {
				t.Errorf("%s: -want +got:\n%s", c.reason, diff)
			}
		})
	}
}

func TestDeletedInUseWithoutFinalizer(t *testing.T) {
	config := east()
	config.Finalizers = []string{"example.com/other"}
	w := newWorld(t, config, placedIn("east", "one"))
	w.remotes.SetState(well())
	w.remove(w.east())
	w.reconcile()
	if diff := cmp.Diff([]string{"example.com/other"}, w.east().Finalizers); diff != "" {
		t.Errorf("an object that is being deleted takes no finalizer: -want +got:\n%s", diff)
	}
}

func TestClusterUIDIsWrittenOnce(t *testing.T) {
	w := newWorld(t, east())
	w.remotes.SetState(well())
	w.reconcile()
	w.wantPatches("annotation and status", 2)
	other := well()
	other.ClusterUID = "uid-west"
	w.remotes.SetState(other)
	w.reconcile()
	config := w.east()
	if config.Status.ClusterUID != "uid-east" || config.Annotations[vitistackv1alpha1.AnnotationClusterUID] != "uid-east" {
		t.Errorf("an identity that nobody accepted is recorded: %s, %v", config.Status.ClusterUID, config.Annotations)
	}
	before := config.DeepCopy()
	config.Annotations[vitistackv1alpha1.AnnotationAcceptClusterUID] = "uid-west"
	if err := w.supervisor.Patch(t.Context(), config, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	w.took()
	w.reconcile()
	config = w.east()
	if config.Status.ClusterUID != "uid-west" || config.Annotations[vitistackv1alpha1.AnnotationClusterUID] != "uid-west" {
		t.Errorf("the accepted identity is not recorded: %s, %v", config.Status.ClusterUID, config.Annotations)
	}
	w.wantPatches("annotation and status", 2)
	w.reconcile()
	w.wantPatches("nothing more", 0)
}

// TestUnknownFieldsSurvive applies our patches to an object of a definition that is larger than our
// types.
func TestUnknownFieldsSurvive(t *testing.T) {
	w := newWorld(t, east(), placedIn("east", "one"))
	w.remotes.SetState(well())
	w.reconcile()
	w.remotes.SetState(away(0))
	w.reconcile()
	if len(w.patches) != 3 {
		t.Fatalf("%d patches", len(w.patches))
	}
	document := `{"metadata":{"name":"east","labels":{"a":"b"}},"spec":{"region":"north"},"status":{"capacity":{"cpu":"64"},"message":"x","versions":{"cilium":"v2"}}}`
	for _, patch := range w.patches {
		var err error
		if document, err = text(merged(t, document, patch)); err != nil {
			t.Fatal(err)
		}
	}
	got := merged(t, document, "{}")
	status := got["status"].(map[string]any)
	foreign := map[string]any{
		"labels": got["metadata"].(map[string]any)["labels"], "spec": got["spec"], "capacity": status["capacity"],
		"cilium": status["versions"].(map[string]any)["cilium"],
	}
	want := map[string]any{
		"labels": map[string]any{"a": "b"}, "spec": map[string]any{"region": "north"},
		"capacity": map[string]any{"cpu": "64"}, "cilium": "v2",
	}
	if diff := cmp.Diff(want, foreign); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if status["message"] != "no answer in time" {
		t.Errorf("our own part is missing: %v", status)
	}
}

// TestPrunedStatus is an object of a definition that knows five words of status and no more.
func TestPrunedStatus(t *testing.T) {
	w := newWorld(t, east(), placedIn("east", "one"))
	w.prune = func(s *vitistackv1alpha1.KubevirtConfigStatus) {
		*s = vitistackv1alpha1.KubevirtConfigStatus{Name: s.Name, Phase: s.Phase, Status: s.Status, Message: s.Message,
			Created: s.Created}
	}
	w.remotes.SetState(well())
	w.reconcile()
	w.took()
	w.wantEvents("Normal Connected contact was made")
	for range 10 {
		w.clock.SetTime(w.clock.Now().Add(time.Minute / 10))
		w.reconcile()
	}
	w.wantPatches("what is dropped is not written again and again", 0)
	w.wantEvents()
	w.remotes.SetState(away(0))
	w.reconcile()
	w.wantPatches("what is news is written", 1)
	if got := w.east().Status.Message; got != "no answer in time" {
		t.Errorf("the message is %q", got)
	}
}

func TestCacheBehind(t *testing.T) {
	w := newWorld(t, east(), placedIn("east", "one"))
	w.remotes.SetState(well())
	w.lag = w.east()
	w.reconcile()
	w.took()
	w.reconcile()
	w.wantPatches("our own patches are not repeated while the cache does not show them", 0)
	w.remotes.SetState(away(0))
	w.reconcile()
	w.wantPatches("news is written on top of them", 1)
	if got := w.east().Status.Message; got != "no answer in time" {
		t.Errorf("the message is %q", got)
	}
}

func TestRefusedPatches(t *testing.T) {
	resource := schema.GroupResource{Group: vitistackv1alpha1.GroupName, Resource: "kubevirtconfigs"}
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		reason string
		err    error
		want   error
		again  time.Duration
	}{
		"conflict": {reason: "somebody was faster: no error", err: apierrors.NewConflict(resource, "east", broken),
			again: time.Second},
		"gone":   {reason: "it went meanwhile: no error", err: apierrors.NewNotFound(resource, "east")},
		"broken": {reason: "tried again with back-off", err: broken, want: broken},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, east())
			w.remotes.SetState(well())
			w.onPatch = func(client.Object) error { return c.err }
			result, err := w.reconciler.Reconcile(t.Context(), requestFor(east()))
			if !errors.Is(err, c.want) || result.RequeueAfter != c.again {
				t.Errorf("%s: got %v and %s", c.reason, err, result.RequeueAfter)
			}
			w.onPatch = nil
			w.reconcile()
			if w.east().Status.Phase != vitistackv1alpha1.KubevirtConfigPhaseReady {
				t.Error("it is not made up for")
			}
		})
	}
}

func TestForeignStatusIsRestored(t *testing.T) {
	w := newWorld(t, east())
	w.remotes.SetState(well())
	w.reconcile()
	w.took()
	config := w.east()
	before := config.DeepCopy()
	config.Status = vitistackv1alpha1.KubevirtConfigStatus{}
	if err := w.reconciler.options.Live.(client.Client).Status().Patch(t.Context(), config,
		client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
	w.reconcile()
	w.wantPatches("what somebody erased is written again", 1)
	if got := w.east().Status.ClusterUID; got != "uid-east" {
		t.Errorf("the annotation did not keep the identity: %q", got)
	}
}

func TestClusterScoped(t *testing.T) {
	config := east()
	config.Namespace = ""
	w := newWorld(t, config, placedIn("east", "one"))
	w.remotes.SetState(well())
	requests := w.reconciler.configsNamed(t.Context(), "east")
	if len(requests) != 1 || requests[0].Namespace != "" {
		t.Fatalf("the requests are %v", requests)
	}
	w.reconcileKey(requests[0].NamespacedName)
	w.wantPatches("identity with finalizer, status", 2)
}

func TestOtherNamespaces(t *testing.T) {
	other := east()
	other.Namespace, other.UID = "elsewhere", "another-uid"
	w := newWorld(t, east(), other)
	want := []client.ObjectKey{{Namespace: "configs", Name: "east"}}
	var got []client.ObjectKey
	for _, config := range w.reconciler.configsOf(t.Context(), placedIn("east", "one")) {
		got = append(got, client.ObjectKeyFromObject(config))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the client manager goes by one namespace: -want +got:\n%s", diff)
	}
}

func TestSameNameAgain(t *testing.T) {
	w := newWorld(t, east())
	w.remotes.SetState(well())
	w.reconcile()
	w.remove(w.east())
	again := east()
	again.UID = "config-uid-2"
	again.Status = vitistackv1alpha1.KubevirtConfigStatus{}
	w.create(again)
	w.took()
	w.reconcile()
	w.wantPatches("another object of the same name is begun with anew", 2)
	if got := w.east().Status.Conditions; len(got) != 4 || got[0].Status != metav1.ConditionTrue {
		t.Errorf("the conditions are %v", got)
	}
}

// TestCountsGather holds that a hundred Machines that come at once do not cost a hundred counts of
// all Machines, and that the first one and a deletion wait for nothing.
func TestCountsGather(t *testing.T) {
	held, deleted := east(), east()
	held.Finalizers = []string{vitistackv1alpha1.FinalizerKubevirtConfig}
	deleted.Finalizers = held.Finalizers
	for _, c := range []struct {
		reason string
		config *vitistackv1alpha1.KubevirtConfig
		delete bool
		want   time.Duration
	}{
		{reason: "the first Machine brings the finalizer", config: east(), want: 0},
		{reason: "more Machines of one that is held change a number", config: held, want: gatherTime},
		{reason: "one that is being deleted waits for its Machines", config: deleted, delete: true, want: 0},
	} {
		t.Run(c.reason, func(t *testing.T) {
			w := newWorld(t, c.config)
			if c.delete {
				w.remove(c.config)
			}
			var got []time.Duration
			w.reconciler.count(t.Context(), func(_ reconcile.Request, wait time.Duration) { got = append(got, wait) },
				placedIn("east", "one"))
			if diff := cmp.Diff([]time.Duration{c.want}, got); diff != "" {
				t.Errorf("the waits are: -want +got:\n%s", diff)
			}
		})
	}
}

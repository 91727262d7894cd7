package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/vitistack/kubevirt-multicluster/api/crds"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/wake"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// TestEvacuationsOnAServer empties a cluster of twelve Machines with watches of an API server; the
// moves are played. A manager without the definitions starts all the same. It takes half a minute.
func TestEvacuationsOnAServer(t *testing.T) {
	t.Parallel()
	cluster := controlplane.New(t, controlplane.Options{Name: "supervisor"})
	options := Options{MetricsAddress: "0", ProbeAddress: "0", WatchSelector: labels.Everything()}
	options.Machine.ConfigsNamespace = "configs"
	config := rest.CopyConfig(cluster.Config())
	var statuses, lists atomic.Int32
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(request *http.Request) (*http.Response, error) {
			switch path := request.URL.Path; {
			case request.Method == http.MethodPatch && strings.HasSuffix(path, "/status"):
				statuses.Add(1)
			case request.Method == http.MethodGet && strings.HasSuffix(path, "/machinemoves") &&
				request.URL.Query().Get("labelSelector") != "":
				lists.Add(1)
			}
			return next.RoundTrip(request)
		})
	})
	public, ours := crds.YAML(), map[string][]byte{}
	for _, name := range []string{"machinemoves.vitistack.io", "evacuations.vitistack.io"} {
		ours[name] = public[name]
		delete(public, name)
	}
	install := func(contents map[string][]byte) {
		definitions, err := decodeDefinitions(contents)
		must(t, err)
		_, err = envtest.InstallCRDs(cluster.Config(), envtest.CRDInstallOptions{CRDs: definitions})
		must(t, err)
	}
	install(public)
	bare, err := NewManager(rest.CopyConfig(config), options, cache.New)
	must(t, err)
	must(t, addEvacuations(bare, bare.GetClient(), bare.GetCache(), options))

	install(ours)
	must(t, wake.Index(t.Context(), bare.GetFieldIndexer()))
	run(t, bare)
	mgr, err := NewManager(config, options, cache.New)
	must(t, err)
	must(t, wake.Index(t.Context(), mgr.GetFieldIndexer()))
	must(t, addEvacuations(mgr, mgr.GetClient(), mgr.GetCache(), options))
	run(t, mgr)

	c, err := client.New(cluster.Config(), client.Options{Scheme: mgr.GetScheme()})
	must(t, err)
	must(t, c.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "configs"}}))
	const machines, inFlight = 12, 3
	for i := range machines {
		must(t, c.Create(t.Context(), placedIn("east", fmt.Sprintf("m%02d", i))))
	}
	evacuation := &vitistackv1alpha1.Evacuation{ObjectMeta: metav1.ObjectMeta{Namespace: "configs", Name: "east"}}
	evacuation.Spec = vitistackv1alpha1.EvacuationSpec{Config: "east", MaxInFlight: inFlight}
	elsewhere := evacuation.DeepCopy()
	elsewhere.Namespace = "default"
	must(t, c.Create(t.Context(), elsewhere))
	must(t, c.Create(t.Context(), evacuation))
	began, most := time.Now(), 0
	eventually.Eventually(t, 4*time.Minute, "the cluster is empty", func(ctx context.Context) error {
		under, err := play(ctx, c)
		most = max(most, under)
		if err := errors.Join(err, c.Get(ctx, client.ObjectKeyFromObject(evacuation), evacuation)); err != nil {
			return err
		}
		if evacuation.Status.Phase != vitistackv1alpha1.EvacuationSucceeded {
			return fmt.Errorf("%+v", evacuation.Status)
		}
		return nil
	})
	took := time.Since(began)
	if evacuation.Status.Moved != machines || evacuation.Status.Left != 0 || most > inFlight || most < 2 {
		t.Errorf("%+v, at most %d at once", evacuation.Status, most)
	}
	if wrote := int(statuses.Load()); wrote > int(took/time.Second)+3 {
		t.Errorf("%d status writes in %s: more than one a second", wrote, took)
	}
	if asked := int(lists.Load()); asked > machines {
		t.Errorf("%d live lists for %d Machines", asked, machines)
	}
	must(t, c.Get(t.Context(), client.ObjectKeyFromObject(elsewhere), elsewhere))
	if elsewhere.Status.Phase != "" {
		t.Errorf("an Evacuation beside the KubevirtConfigs is none: %+v", elsewhere.Status)
	}
	t.Logf("%d Machines in %s, %d status writes, %d live lists", machines, took, statuses.Load(), lists.Load())
}

// run starts a manager, and ends it with the test.
func run(t *testing.T, mgr ctrl.Manager) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		must(t, <-ended)
	})
}

func placedIn(config, name string) *vitistackv1alpha1.Machine {
	ledger := vitistackv1alpha1.Ledger{Config: config, Namespace: "default", VMName: "vm-" + name, Nonce: "n"}
	return &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name,
		Annotations: map[string]string{vitistackv1alpha1.AnnotationPlacement: ledger.String()}}}
}

// play lets each move that is under way go on by one phase, and says how many there were.
func play(ctx context.Context, c client.Client) (under int, err error) {
	moves := &vitistackv1alpha1.MachineMoveList{}
	if err := c.List(ctx, moves); err != nil {
		return 0, err
	}
	for i := range moves.Items {
		move := &moves.Items[i]
		if move.Status.Phase.Over() {
			continue
		}
		under++
		before := move.DeepCopy()
		move.Status.Phase = vitistackv1alpha1.MovePhaseCopying
		if before.Status.Phase == vitistackv1alpha1.MovePhaseCopying {
			move.Status.Phase = vitistackv1alpha1.MovePhaseSucceeded
			machine := placedIn("east", move.Spec.MachineName)
			patch := client.MergeFrom(machine.DeepCopy())
			machine.Annotations = placedIn("west", move.Spec.MachineName).Annotations
			err = errors.Join(err, c.Patch(ctx, machine, patch))
		}
		err = errors.Join(err, c.Status().Patch(ctx, move, client.MergeFrom(before)))
	}
	return under, err
}

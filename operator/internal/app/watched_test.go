package app

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/wait"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/vitistack/kubevirt-multicluster/api/crds"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/wake"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
)

// TestListsOfOthersBreakNoStream: the writer of the KubevirtConfigs' status lists the Machines when
// the last one of a cluster is gone. With that, new Machines were no longer known to be new, and
// waited for a cluster that had nothing to do with them.
func TestListsOfOthersBreakNoStream(t *testing.T) {
	t.Parallel()
	cluster := controlplane.New(t, controlplane.Options{Name: "fresh"})
	definitions, err := decodeDefinitions(crds.YAML())
	must(t, err)
	_, err = envtest.InstallCRDs(cluster.Config(), envtest.CRDInstallOptions{CRDs: definitions})
	must(t, err)
	watcher := wake.NewWatcher(clock.RealClock{}, logr.Discard())
	options := Options{MetricsAddress: "0", ProbeAddress: "0", WatchSelector: labels.Everything()}
	options.Machine.ConfigsNamespace = "default"
	mgr, err := NewManager(cluster.Config(), options, watched(watcher, clientmgr.NewContinuity()))
	must(t, err)
	informer, err := mgr.GetCache().GetInformer(t.Context(), &vitistackv1alpha1.Machine{})
	must(t, err)
	created := func(object any, initial bool) { watcher.Created(object.(*vitistackv1alpha1.Machine), initial) }
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerDetailedFuncs{AddFunc: created})
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		must(t, <-ended)
	})
	if !mgr.GetCache().WaitForCacheSync(ctx) {
		t.Fatal("the cache does not fill")
	}

	var made []*vitistackv1alpha1.Machine
	// One that is created while the cache's own list fills is not known to be new.
	err = wait.PollUntilContextTimeout(ctx, 100*time.Millisecond, 30*time.Second, true,
		func(ctx context.Context) (bool, error) {
			made = append(made, &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{
				Namespace: "default", Name: fmt.Sprintf("m%d", len(made)),
			}})
			if err := mgr.GetClient().Create(ctx, made[len(made)-1]); err != nil {
				return false, err
			}
			return freshOf(watcher, made) != nil, nil
		})
	must(t, err)
	fresh := freshOf(watcher, made)
	must(t, mgr.GetAPIReader().List(t.Context(), &vitistackv1alpha1.MachineList{}, client.Limit(1)))
	if !watcher.Fresh(fresh) {
		t.Error("a list that somebody else made broke the stream of Machines")
	}
}

// freshOf returns one that is fresh, or nil.
func freshOf(watcher *wake.Watcher, made []*vitistackv1alpha1.Machine) *vitistackv1alpha1.Machine {
	for _, each := range made {
		if watcher.Fresh(each) {
			return each
		}
	}
	return nil
}

package multicluster_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	mc "sigs.k8s.io/multicluster-runtime/pkg/multicluster"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

func TestProvider(t *testing.T) {
	w := newWorld(t)
	w.create(w.east, "before", "red")
	w.create(w.west, "before", "blue")
	w.sees("east/before", "red 1")
	w.sees("west/before", "blue 1")
	first, err := w.manager.GetCluster(t.Context(), "east")
	w.must(err)
	w.notCached(first.GetCache())

	w.must(w.proxy.Set(faults.Fault{Kind: faults.Blackhole}))
	eventually.Eventually(w.t, time.Minute, "the black-holed cluster is not trusted", func(context.Context) error {
		if _, err := w.manager.GetCluster(t.Context(), "east"); !errors.Is(err, clientmgr.ErrNotConnected) ||
			errors.Is(err, mc.ErrClusterNotFound) {
			return fmt.Errorf("a black-holed cluster: want ErrNotConnected, got %w", err)
		}
		return nil
	})
	w.create(w.west, "meanwhile", "blue")
	w.sees("west/meanwhile", "blue 2")
	w.create(w.east, "meanwhile", "green")
	w.must(w.proxy.Set(faults.Fault{}))
	w.sees("east/meanwhile", "green 1")
	if again, err := w.manager.GetCluster(t.Context(), "east"); err != nil || again != first {
		t.Errorf("loss of contact has made another cluster of it: %v", err)
	}

	w.clusters.InvalidateClient("east")
	eventually.Eventually(w.t, time.Minute, "the cluster is connected anew", func(context.Context) error {
		if again, err := w.manager.GetCluster(t.Context(), "east"); err != nil || again == first {
			return fmt.Errorf("not connected anew: %w", err)
		}
		return nil
	})
	w.create(w.east, "anew", "red")
	w.sees("east/anew", "red 2")

	w.must(w.west.Delete(t.Context(),
		&vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "east"}}))
	eventually.Eventually(w.t, time.Minute, "the cluster is gone", func(context.Context) error {
		if _, err := w.manager.GetCluster(t.Context(), "east"); !errors.Is(err, mc.ErrClusterNotFound) {
			return fmt.Errorf("want ErrClusterNotFound, got %w", err)
		}
		return nil
	})
	w.create(w.west, "after", "yellow")
	w.sees("west/after", "yellow 1")
}

// notCached checks that nothing starts or stops an informer that others did not ask for.
func (w *world) notCached(shared cache.Cache) {
	w.t.Helper()
	var missing *cache.ErrResourceNotCached
	if err := shared.Get(w.t.Context(), client.ObjectKey{Namespace: "default", Name: "x"}, &corev1.Pod{}); !errors.As(err,
		&missing) {
		w.t.Errorf("a read of an undeclared kind: %v", err)
	}
	if _, err := shared.GetInformer(w.t.Context(), &corev1.Pod{}); !errors.As(err, &missing) {
		w.t.Errorf("an informer of an undeclared kind: %v", err)
	}
	if _, err := shared.GetInformerForKind(w.t.Context(), corev1.SchemeGroupVersion.WithKind("Pod")); !errors.As(err,
		&missing) {
		w.t.Errorf("an informer of an undeclared kind: %v", err)
	}
	if err := shared.RemoveInformer(w.t.Context(), &corev1.ConfigMap{}); err == nil {
		w.t.Error("others' informer was removed")
	}
}

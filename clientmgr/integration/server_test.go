package integration

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// The tests in this file take north for themselves: they kill it, freeze it and put old data back.

func TestServerIsKilledAndComesBack(t *testing.T) {
	t.Parallel()
	north.alone(t)
	f := newFixture(t, nil, north)
	f.config("north", f.admin(north, north.Addr()))
	f.connects("north")
	f.must(north.admin.Create(t.Context(), f.configMap("held")))
	f.sees("north", "held")
	held, other := f.client("north"), f.bystander()
	before := f.audited(north)
	f.must(north.Kill())
	f.reaches("north", clientmgr.Degraded, clientmgr.ReasonUnreachable)
	f.refused("north", held, clientmgr.ErrNotConnected)
	f.healthNames("north", other)
	f.must(north.Launch(t.Context()))
	f.connects("north")
	eventually.Eventually(t, 30*time.Second, "the server takes writes again", func(ctx context.Context) error {
		return north.admin.Create(ctx, f.configMap("back"))
	})
	f.sees("north", "back")
	other.check(t)
	if relists := f.audited(north).relists - before.relists; relists > 1 {
		t.Errorf("a restart of the only server costs one relist at most, got %d", relists)
	}
}

// TestServerFreezes stops the processes: the kernel goes on taking connections, and nobody answers.
func TestServerFreezes(t *testing.T) {
	t.Parallel()
	north.alone(t)
	f := newFixture(t, nil, north)
	f.config("north", f.admin(north, north.Addr()))
	f.connects("north")
	f.must(north.admin.Create(t.Context(), f.configMap("held")))
	f.sees("north", "held")
	held, other := f.client("north"), f.bystander()
	before := f.audited(north)
	f.must(north.Freeze())
	thaw := func() { f.must(north.Thaw()) }
	defer thaw()
	f.reaches("north", clientmgr.Degraded, clientmgr.ReasonUnreachable)
	f.refused("north", held, clientmgr.ErrNotConnected)
	f.healthNames("north", other)
	thaw()
	f.connects("north")
	eventually.Eventually(t, 30*time.Second, "the server takes writes again", func(ctx context.Context) error {
		return north.admin.Create(ctx, f.configMap("back"))
	})
	f.sees("north", "back")
	other.check(t)
	if relists := f.audited(north).relists - before.relists; relists > 0 {
		t.Errorf("a server that was frozen knows what it knew: want no relist, got %d", relists)
	}
}

// TestRestoredServerIsListedAnew gives revisions out twice: a watch that resumed would miss what
// happened, without a word.
func TestRestoredServerIsListedAnew(t *testing.T) {
	t.Parallel()
	north.alone(t)
	f := newFixture(t, nil, north)
	f.config("north", f.admin(north, north.Addr()))
	f.connects("north")
	f.must(north.admin.Create(t.Context(), f.configMap("kept")))
	snapshot := filepath.Join(t.TempDir(), "snapshot")
	f.must(north.Snapshot(t.Context(), snapshot))
	for i := range 30 {
		f.must(north.admin.Create(t.Context(), f.configMap(fmt.Sprintf("lost-%d", i))))
	}
	f.sees("north", "lost-29")
	other := f.bystander()
	f.must(north.Restore(t.Context(), snapshot, controlplane.RestoreOptions{}))
	eventually.Eventually(t, 90*time.Second, "the client lists what the restored server has", func(context.Context) error {
		c, err := f.GetClientForConfig(t.Context(), "north")
		if err != nil {
			return err
		}
		var list corev1.ConfigMapList
		if err := c.List(t.Context(), &list, client.InNamespace(f.namespace)); err != nil {
			return err
		}
		if len(list.Items) != 1 {
			return fmt.Errorf("want the one object that was kept, got %d", len(list.Items))
		}
		return nil
	})
	other.check(t)
}

// TestKindThatIsNotServed installs a definition late, and removes it from under a connected
// cluster.
func TestKindThatIsNotServed(t *testing.T) {
	t.Parallel()
	north.alone(t)
	f := newFixture(t, func(o *clientmgr.Options) {
		// the first question of all: its answer once named no kind
		o.Kinds = map[client.Object]cache.ByObject{&vitistackv1alpha1.Machine{}: {}}
	}, north)
	f.config("north", f.admin(north, north.Addr()))
	state := f.reaches("north", clientmgr.Connecting, clientmgr.ReasonKindNotServed)
	if diff := cmp.Diff("the server does not serve a declared kind: Machine.vitistack.io", state.Message); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	f.refused("north", nil, clientmgr.ErrKindNotServed)
	live, err := f.Live("north")
	f.must(err)
	f.notServed(live)
	f.must(live.Get(t.Context(), client.ObjectKey{Name: f.namespace}, &corev1.Namespace{}))

	f.must(define(t.Context(), north.admin, "machines.vitistack.io"))
	f.connects("north")
	held := f.client("north")
	machine := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, Name: "web"}}
	f.must(held.Create(t.Context(), machine))
	eventually.Eventually(t, 20*time.Second, "the cache holds the Machine", func(ctx context.Context) error {
		return held.Get(ctx, f.key("web"), machine)
	})

	f.must(f.undefine(north, "machines.vitistack.io"))
	f.reaches("north", clientmgr.Degraded, clientmgr.ReasonKindNotServed)
	f.notServed(held)
	f.must(define(t.Context(), north.admin, "machines.vitistack.io"))
	f.connects("north")
	f.must(f.undefine(north, "machines.vitistack.io"))
}

// notServed checks that a Machine cannot be read, and that this is not told as its absence.
func (f *fixture) notServed(through client.Reader) {
	f.t.Helper()
	err := through.Get(f.t.Context(), f.key("web"), &vitistackv1alpha1.Machine{})
	if !errors.Is(err, clientmgr.ErrKindNotServed) || apierrors.IsNotFound(err) {
		f.t.Errorf("want ErrKindNotServed and no NotFound, got %v", err)
	}
}

// undefine deletes a definition and waits until it is gone.
func (f *fixture) undefine(from *plane, name string) error {
	definition := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if err := from.admin.Delete(f.t.Context(), definition); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(f.t.Context(), 30*time.Second)
	defer cancel()
	return poll(ctx, func() error {
		if err := from.admin.Get(ctx, client.ObjectKey{Name: name}, definition); err == nil {
			return fmt.Errorf("%s is still there", name)
		}
		return nil
	})
}

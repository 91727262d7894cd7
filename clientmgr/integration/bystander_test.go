package integration

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// bystander is a controller's view of another cluster while one is in trouble: it looks west up,
// reads from its cache and live, and writes, all the while.
type bystander struct {
	f      *fixture
	before []time.Duration
	end    func()
	locked struct {
		sync.Mutex
		during  []time.Duration // of a look-up, a cached and a live read and a write together
		failure error
	}
}

const bystanding = "bystander"

// bystander connects west and takes the time of calls before there is any trouble; check compares.
func (f *fixture) bystander() *bystander {
	f.t.Helper()
	f.config(bystanding, f.admin(west, west.Addr()))
	f.connects(bystanding)
	f.must(west.admin.Create(f.t.Context(), f.configMap(bystanding)))
	f.sees(bystanding, bystanding)
	b := &bystander{f: f}
	for range 30 {
		took, err := b.turn()
		f.must(err)
		b.before = append(b.before, took)
	}
	stopped := make(chan struct{})
	var reader sync.WaitGroup
	b.end = sync.OnceFunc(func() { close(stopped); reader.Wait() })
	f.t.Cleanup(b.end)
	reader.Go(func() {
		ticker := time.NewTicker(25 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-stopped:
				return
			case <-ticker.C:
				b.note(b.turn())
			}
		}
	})
	return b
}

func (b *bystander) note(took time.Duration, err error) {
	b.locked.Lock()
	defer b.locked.Unlock()
	b.locked.during = append(b.locked.during, took)
	if b.locked.failure == nil {
		b.locked.failure = err
	}
}

func (b *bystander) turn() (time.Duration, error) {
	ctx, key := b.f.t.Context(), client.ObjectKey{Namespace: b.f.namespace, Name: bystanding}
	begin := time.Now()
	cached, err := b.f.GetClientForConfig(ctx, bystanding)
	if err != nil {
		return 0, fmt.Errorf("look-up: %w", err)
	}
	if err := cached.Get(ctx, key, &corev1.ConfigMap{}); err != nil {
		return 0, fmt.Errorf("cached read: %w", err)
	}
	live, err := b.f.Live(bystanding)
	if err != nil {
		return 0, fmt.Errorf("look-up: %w", err)
	}
	if err := live.Get(ctx, key, &corev1.ConfigMap{}); err != nil {
		return 0, fmt.Errorf("live read: %w", err)
	}
	if err := cached.Patch(ctx, b.f.configMap(bystanding),
		client.RawPatch(types.MergePatchType, []byte(`{"data":{"at":"`+begin.String()+`"}}`))); err != nil {
		return 0, fmt.Errorf("write: %w", err)
	}
	return time.Since(begin), nil
}

// check fails the test if a call of the other cluster failed, or the median grew. The slack is for
// a loaded machine: whoever waits for a cluster that hangs waits for seconds.
func (b *bystander) check(t *testing.T) {
	t.Helper()
	// Some faults are over soon.
	eventually.Eventually(t, 20*time.Second, "there are 20 turns of the other cluster", func(context.Context) error {
		b.locked.Lock()
		defer b.locked.Unlock()
		if turns := len(b.locked.during); turns < 20 {
			return fmt.Errorf("only %d turns", turns)
		}
		return nil
	})
	b.end()
	b.locked.Lock()
	defer b.locked.Unlock()
	if b.locked.failure != nil {
		t.Errorf("the other cluster: %v", b.locked.failure)
	}
	slices.Sort(b.before)
	slices.Sort(b.locked.during)
	before, during := b.before[len(b.before)/2], b.locked.during[len(b.locked.during)/2]
	worst := b.locked.during[len(b.locked.during)*99/100]
	t.Logf("the other cluster: %d turns, median %s (before: %s), 99th percentile %s", len(b.locked.during), during, before,
		worst)
	if during > 3*before+250*time.Millisecond || worst > 4*time.Second {
		t.Errorf("the other cluster suffers: median %s before, %s now, 99th percentile %s", before, during, worst)
	}
}

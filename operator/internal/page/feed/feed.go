package feed

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/page/view"
)

// ErrFull means that as many listen as may.
var ErrFull = errors.New("too many listeners")

// Caches are the supervisor's. A controller-runtime cache is one.
type Caches interface {
	client.Reader
	// GetInformer returns the informer of a kind, once it has synced.
	GetInformer(ctx context.Context, object client.Object, opts ...cache.InformerGetOption) (cache.Informer, error)
}

// Options tune a Feed. The zero value works.
type Options struct {
	// Machine and Config select what is shown. Default: all. They must not change what they are given,
	// and what Config says of a KubevirtConfig never changes.
	Machine func(*vitistackv1alpha1.Machine) bool
	Config  func(*vitistackv1alpha1.KubevirtConfig) bool
	// Vitals are what is measured of a cluster. It is called every VitalsInterval while somebody
	// listens, and must not wait. Default: nothing is.
	Vitals func(config string) view.Vitals
	// VitalsInterval is by default 5 s.
	VitalsInterval time.Duration
	// Pause is the least time between two batches. Default 100 ms.
	Pause time.Duration
	// MaxListeners is by default 32, MaxBatches, which a listener may leave untaken, 64.
	MaxListeners, MaxBatches int
	// Clock is by default the real one.
	Clock clock.WithTicker
}

func (o Options) withDefaults() Options {
	if o.Machine == nil {
		o.Machine = func(*vitistackv1alpha1.Machine) bool { return true }
	}
	if o.Config == nil {
		o.Config = func(*vitistackv1alpha1.KubevirtConfig) bool { return true }
	}
	if o.Vitals == nil {
		o.Vitals = func(string) view.Vitals { return view.Vitals{} }
	}
	if o.VitalsInterval == 0 {
		o.VitalsInterval = 5 * time.Second
	}
	if o.Pause == 0 {
		o.Pause = 100 * time.Millisecond
	}
	if o.MaxListeners == 0 {
		o.MaxListeners = 32
	}
	if o.MaxBatches == 0 {
		o.MaxBatches = 64
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	return o
}

// Feed is safe for concurrent use.
type Feed struct {
	caches  Caches
	options Options
	locked  lockedState
}

type lockedState struct {
	sync.Mutex
	run       *run // nil while nobody listens
	listeners map[*Listener]struct{}
}

// New returns a Feed. It does nothing yet.
func New(caches Caches, options Options) *Feed {
	f := &Feed{caches: caches, options: options.withDefaults()}
	f.locked.listeners = map[*Listener]struct{}{}
	return f
}

// Rows are all that is shown, and what was seen to change.
type Rows struct {
	Clusters []view.Cluster
	Machines []view.Machine
	Seen     []view.Change
}

// Snapshot reads the caches once. It leaves nothing running. The errors are the caches'.
func (f *Feed) Snapshot(ctx context.Context) (Rows, error) {
	r := newRun(f)
	if err := r.fill(ctx); err != nil {
		return Rows{}, err
	}
	return r.rows(), nil
}

// Listen begins to listen. It waits until the caches are filled, or ctx ends. The errors are
// ErrFull and the caches'.
func (f *Feed) Listen(ctx context.Context) (*Listener, error) {
	var informers []cache.Informer
	for _, object := range []client.Object{&vitistackv1alpha1.KubevirtConfig{}, &vitistackv1alpha1.Machine{}} {
		informer, err := f.caches.GetInformer(ctx, object)
		if err != nil {
			return nil, fmt.Errorf("informer: %w", err)
		}
		informers = append(informers, informer)
	}
	f.locked.Lock()
	defer f.locked.Unlock()
	if len(f.locked.listeners) >= f.options.MaxListeners {
		return nil, ErrFull
	}
	if f.locked.run == nil {
		r := newRun(f)
		if err := r.begin(ctx, informers); err != nil {
			return nil, err
		}
		f.locked.run = r
	}
	l := &Listener{feed: f, first: f.locked.run.rows(), batches: make(chan Batch, f.options.MaxBatches)}
	f.locked.listeners[l] = struct{}{}
	return l, nil
}

// leave takes a listener out, and ends what no one listens to any more.
func (f *Feed) leave(l *Listener) {
	f.locked.Lock()
	if _, listens := f.locked.listeners[l]; listens {
		delete(f.locked.listeners, l)
		close(l.batches)
	}
	var unheard *run
	if len(f.locked.listeners) == 0 {
		unheard, f.locked.run = f.locked.run, nil
	}
	f.locked.Unlock()
	if unheard != nil {
		unheard.end()
	}
}

// publish gives a batch to all who listen. It is called with the lock held, and never waits.
func (f *Feed) publish(batch Batch) {
	for l := range f.locked.listeners {
		select {
		case l.batches <- batch:
		default:
			delete(f.locked.listeners, l)
			close(l.batches)
		}
	}
}

package vitals

import (
	"context"
	"errors"
	"sync"
	"time"

	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/capacity"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/page/view"
)

const (
	// interval is the time between two questions for the room of a cluster.
	interval = 5 * time.Minute
	// timeout bounds one.
	timeout = 20 * time.Second
	// atOnce is the number of clusters that are asked at once.
	atOnce = 4
)

// Remotes are the connections to clusters. clientmgr.KubevirtClientManager is one.
type Remotes interface {
	State(kubevirtConfigName string) (state clientmgr.State, found bool)
	Live(kubevirtConfigName string) (client.Reader, error)
	ProbeDuration(kubevirtConfigName string) (took time.Duration, found bool)
}

// Options tune Vitals. The zero value works.
type Options struct {
	// Clock is by default the real one.
	Clock clock.PassiveClock
}

// Vitals is safe for concurrent use.
type Vitals struct {
	remotes Remotes
	clock   clock.PassiveClock
	places  chan struct{}
	locked  struct {
		sync.Mutex
		rooms map[string]*room
	}
}

// room is the last answer of a cluster. While one is awaited the former stands.
type room struct {
	asked time.Time
	since time.Time // of the connection that was asked
	free  *view.Room
	why   string // why free is nil
}

// New returns Vitals. It asks nobody yet.
func New(remotes Remotes, options Options) *Vitals {
	v := &Vitals{remotes: remotes, clock: options.Clock, places: make(chan struct{}, atOnce)}
	if v.clock == nil {
		v.clock = clock.RealClock{}
	}
	v.locked.rooms = map[string]*room{}
	return v
}

// Of returns what is known of a cluster. It never waits; what it has to ask for shows at a later
// call. Of a cluster that is not connected nothing is known.
func (v *Vitals) Of(config string) view.Vitals {
	state, found := v.remotes.State(config)
	if !found || !state.Ready() {
		v.forget(config)
		return view.Vitals{}
	}
	var vitals view.Vitals
	if took, found := v.remotes.ProbeDuration(config); found {
		vitals.LatencyMillis = new(float64(took.Round(10*time.Microsecond)) / float64(time.Millisecond))
	}
	vitals.Room, vitals.NoRoom = v.room(config, state.Since)
	return vitals
}

// room returns what was answered last, and asks again where that is old.
func (v *Vitals) room(config string, since time.Time) (*view.Room, string) {
	v.locked.Lock()
	defer v.locked.Unlock()
	known := v.locked.rooms[config]
	if known == nil || !known.since.Equal(since) {
		known = &room{since: since}
		v.locked.rooms[config] = known
	}
	if now := v.clock.Now(); known.asked.IsZero() || now.Sub(known.asked) >= interval {
		select {
		case v.places <- struct{}{}:
			known.asked = now
			go v.ask(config, known)
		default: // others are asked: at the next call
		}
	}
	return known.free, known.why
}

// ask asks a cluster and notes its answer. What it finds is a value of its own: rows have it.
func (v *Vitals) ask(config string, into *room) {
	defer func() { <-v.places }()
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	reader, err := v.remotes.Live(config)
	var free capacity.Room
	if err == nil {
		free, err = capacity.Free(ctx, reader)
	}
	v.locked.Lock()
	defer v.locked.Unlock()
	switch {
	case errors.Is(err, clientmgr.ErrForbidden):
		into.free, into.why = nil, "the kubeconfig may not list nodes and pods"
	case err != nil:
		into.free, into.why = nil, "the cluster gave no answer about its nodes and pods"
	default:
		into.free = &view.Room{MilliCPU: free.MilliCPU, MemoryBytes: free.MemoryBytes, At: v.clock.Now().UTC()}
		into.why = ""
	}
}

func (v *Vitals) forget(config string) {
	v.locked.Lock()
	defer v.locked.Unlock()
	delete(v.locked.rooms, config)
}

package observer

import (
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// samplePause is how often it is noted which clusters are in trouble.
const samplePause = 50 * time.Millisecond

// trouble is a time in which a cluster did not serve the operator as it should.
type trouble struct {
	span

	// Silent says that it gave no authorised answer at all.
	Silent bool
}

// declared is a trouble of a cluster that a test told of.
type declared struct {
	trouble

	cluster string
}

// troubleOf says whether a cluster of a state, with a fault of its proxy, is in trouble, and whether
// it is silent.
func troubleOf(now fleet.State, fault faults.Fault) (is, silent bool) {
	if now != fleet.Running {
		return true, true
	}
	all := fault.On == faults.All || fault.On == ""
	switch fault.Kind {
	case faults.Pass, "":
		return false, false
	case faults.Blackhole, faults.Reset, faults.Refuse, faults.Unauthorized:
		return true, all || fault.On == faults.Dial
	default:
		return true, false
	}
}

// note keeps what a sample says about a cluster.
func note(all []trouble, is, silent bool, at time.Time) []trouble {
	n := len(all)
	running := n > 0 && all[n-1].Until.IsZero()
	if running && (!is || all[n-1].Silent != silent) {
		all[n-1].Until = at
		running = false
	}
	if is && !running {
		all = append(all, trouble{span: span{From: at}, Silent: silent})
	}
	return all
}

// sample notes what the fleet is like now.
func (h *lockedHistory) sample(f *fleet.Fleet, operating bool, at time.Time) {
	type now struct {
		name       string
		is, silent bool
	}
	var all []now
	for _, c := range f.Clusters() { // it reads files: not with the lock
		is, silent := troubleOf(c.State(), c.Fault())
		all = append(all, now{c.Name, is, silent})
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range all {
		h.trouble[n.name] = note(h.trouble[n.name], n.is, n.silent, at)
	}
	if operating {
		h.down = end(h.down, at)
	} else {
		h.down = open(h.down, at)
	}
}

package clusters

import (
	"time"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/transport"
)

// facts are what is known of an existing connection at one moment.
type facts struct {
	synced   bool
	cache    error // the cache could not be made
	probe    error // the failure that has passed the threshold, nil while the cluster counts as well
	gap      gap   // what is not watched
	watches  transport.Watches
	silence  time.Duration // the limit
	rotation error         // the Secret's new contents do not work
}

// verdict is what facts mean.
type verdict struct {
	phase  Phase
	reason string
	text   string
	err    error // the sentinel that look-ups fail with, nil where clients are handed out
}

func verdictOf(phase Phase, err error) verdict {
	f := classify(err)
	return verdict{phase: phase, reason: f.reason, text: f.text, err: f.sentinel}
}

// assess is pure: what is graver hides what is less grave.
func assess(f facts) verdict {
	unsettled := Connecting
	if f.synced {
		unsettled = Degraded
	}
	switch {
	case f.probe != nil:
		return verdictOf(unsettled, f.probe)
	case f.gap.lost != nil:
		return verdictOf(unsettled, f.gap.lost)
	case f.cache != nil:
		return verdictOf(unsettled, f.cache)
	case !f.synced:
		return verdict{Connecting, ReasonNotSynced, "the caches of this connection have not synced yet", ErrNotSynced}
	case f.gap.stalled:
		return verdict{Degraded, ReasonWatchStalled, "a watch cannot be opened again", ErrNotConnected}
	case f.watches.Silence >= f.silence || f.watches.Barren > 0:
		return verdict{Degraded, ReasonWatchStalled, "a watch is silent for too long", ErrNotConnected}
	case f.rotation != nil:
		return verdict{Connected, ReasonCandidateRefused,
			"the former credential is in use; the Secret's new contents do not work: " + classify(f.rotation).text, nil}
	default:
		return verdict{Connected, ReasonConnected, "connected", nil}
	}
}

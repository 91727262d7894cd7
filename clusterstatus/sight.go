package clusterstatus

import (
	"context"
	"time"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/compatibility"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/kubevirt"
)

const (
	// lookInterval is the default of Options.LookInterval, lookAgain the longest time after a look that
	// got no answer.
	lookInterval = 10 * time.Minute
	lookAgain    = time.Minute
	// lookTimeout bounds a look.
	lookTimeout = 5 * time.Second
)

// look asks a cluster about its KubeVirt, past all caches.
func look(ctx context.Context, remotes clientmgr.LiveGetter, config string) kubevirt.State {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	live, err := remotes.Live(config)
	if err != nil {
		return kubevirt.State{Message: "KubeVirt could not be looked at"}
	}
	state, _ := kubevirt.Look(ctx, live) // its message says enough
	return state
}

// sight is the last look at a cluster's KubeVirt and its definitions, and the connection that it
// was made through.
type sight struct {
	kubevirt   kubevirt.State
	schema     *compatibility.Answer // nil where nobody looks at definitions
	at         time.Time
	clusterUID string
	since      time.Time
}

// due returns the time until the next look: 0 where it is to be made now.
func (s sight) due(state clientmgr.State, now time.Time, interval time.Duration) time.Duration {
	if s.at.IsZero() || s.clusterUID != state.ClusterUID || !s.since.Equal(state.Since) {
		return 0
	}
	if !s.kubevirt.Answered || s.schema != nil && !s.schema.Answered {
		interval = min(interval, lookAgain)
	}
	return max(0, s.at.Add(interval).Sub(now))
}

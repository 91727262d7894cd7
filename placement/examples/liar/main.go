// Command placement-liar is a side-car that nobody should run: each answer is another lie. The tests of
// the whole ask it, to see that no strategy can do harm.
package main

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

func main() { plugin.Serve(placement.NewFunc("liar", placement.Needs{}, new(liar).place)) }

// liar counts its answers.
type liar struct{ asked atomic.Int64 }

// place names clusters that are no candidates, changes its mind, is late, and talks too much.
func (l *liar) place(ctx context.Context, req placement.Request) (placement.Decision, error) {
	switch turn := l.asked.Add(1); turn % 5 {
	case 0:
		return placement.Decision{Config: "a-cluster-that-is-not-there", Reason: "believe me"}, nil
	case 1:
		return placement.Decision{Config: "../../etc/passwd\x1b[2J", Reason: strings.Repeat("\x1b[2J", 1<<10)}, nil
	case 2:
		return placement.Decision{}, late(ctx)
	case 3:
		return placement.Decision{Reason: strings.Repeat("no opinion, at length; ", 1<<14)}, nil
	default:
		if len(req.Candidates) == 0 {
			return placement.Decision{}, nil
		}
		chosen := req.Candidates[int(turn/5)%len(req.Candidates)]
		return placement.Decision{Config: chosen.Name, Reason: "another one each time"}, nil
	}
}

// late returns when nobody waits any more.
func late(ctx context.Context) error {
	timer := time.NewTimer(time.Minute)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err()
}

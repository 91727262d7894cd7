package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// trouble is something that goes wrong in one cluster, from begin to end.
type trouble struct {
	name       string
	begin, end func(ctx context.Context) error
}

// proxyFaults are what proxies do, one at a time.
var proxyFaults = []faults.Fault{
	{Kind: faults.Blackhole}, {Kind: faults.Reset}, {Kind: faults.Refuse},
	{Kind: faults.Latency, Latency: 2 * time.Second},
	{Kind: faults.Errors, Rate: 0.3}, {Kind: faults.Unauthorized}, {Kind: faults.Stall, On: faults.Watch},
	{Kind: faults.Cut, On: faults.Watch},
}

// faulty is a fault of a cluster's proxy.
func faulty(cluster *fleet.Cluster, fault faults.Fault) trouble {
	return trouble{
		name:  fmt.Sprintf("%s of %s", fault.Kind, cluster.Name),
		begin: func(context.Context) error { return cluster.SetFault(fault) },
		end:   func(context.Context) error { return cluster.SetFault(faults.Fault{}) },
	}
}

// killed is a cluster that is down, and comes back with its data.
func killed(cluster *fleet.Cluster) trouble {
	return trouble{
		name:  "kill of " + cluster.Name,
		begin: func(context.Context) error { return cluster.Kill() },
		end:   cluster.Launch,
	}
}

// frozen is a cluster whose connections stay open, and from which nothing comes.
func frozen(cluster *fleet.Cluster) trouble {
	return trouble{
		name:  "freeze of " + cluster.Name,
		begin: func(context.Context) error { return cluster.Freeze() },
		end:   func(context.Context) error { return cluster.Thaw() },
	}
}

// rotated is a cluster whose credential, or certificate, is another one.
func rotated(cluster *fleet.Cluster, what fleet.Rotation) trouble {
	return trouble{
		name:  fmt.Sprintf("rotation of the %s of %s", what, cluster.Name),
		begin: func(ctx context.Context) error { return cluster.Rotate(ctx, what) },
		end:   func(context.Context) error { return nil },
	}
}

// troublesOf are all that can go wrong in a fleet, in an order that is drawn. What the supervisor's
// credential is stands in a file, which nobody rotates here.
func troublesOf(f *fleet.Fleet, random *rand.Rand) (all []trouble) {
	for _, cluster := range f.Clusters() {
		for _, fault := range proxyFaults {
			all = append(all, faulty(cluster, fault))
		}
		all = append(all, killed(cluster), frozen(cluster))
	}
	for _, cluster := range f.Remotes {
		for _, what := range []fleet.Rotation{fleet.RotateToken, fleet.RotateCert, fleet.RotateCA} {
			all = append(all, rotated(cluster, what))
		}
	}
	random.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

// happened is a trouble that there was.
type happened struct {
	Name string `json:"name"`
	// From and To are in seconds since the churn began.
	From float64 `json:"from"`
	To   float64 `json:"to"`
}

// disturb breaks something each time that interval is over, for a third of it, until ctx ends. What
// is broken then is mended. before and after are told each trouble.
func disturb(ctx context.Context, all []trouble, interval time.Duration, before, after func(name string)) error {
	for i := 0; ; i++ {
		each := all[i%len(all)]
		if !pause(ctx, interval*2/3) {
			return nil
		}
		before(each.name)
		err := each.begin(ctx)
		if err == nil {
			pause(ctx, interval/3)
		}
		err = errors.Join(err, each.end(context.WithoutCancel(ctx)))
		after(each.name)
		if err != nil && ctx.Err() == nil {
			return fmt.Errorf("%s: %w", each.name, err)
		}
	}
}

// pause waits, and returns false where ctx ended meanwhile.
func pause(ctx context.Context, length time.Duration) bool {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

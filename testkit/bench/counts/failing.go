package counts

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/report"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/stage"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// The rows of Failing.
const (
	RowFailing = "attempts-while-failing"
	RowBacked  = "attempts-in-5-minutes-once-backed-off"
)

const (
	// longest is the time between two attempts once a Machine is backed off.
	longest = 5 * time.Minute
	// backed is after how long that is so: waits of 1, 2, 4 … 256 seconds have passed.
	backed = 511 * time.Second
	// margin is for a first attempt that does not come at once.
	margin = 20 * time.Second
)

// trouble is what keeps a Machine from being made, and which call is an attempt.
type trouble struct {
	name, config string
	in           *fleet.Cluster
	attempt      audit.Filter
	attempts     []audit.Call
}

// Failing counts the attempts for a Machine that its cluster refuses, for one that waits for a
// cluster which does not answer, and for one whose reference leads nowhere. Waits between attempts
// double from a second to five minutes: a time has room for so many, and the last five minutes of a
// time that is long enough for one.
func (b *Bench) Failing(ctx context.Context) (_ []report.Row, err error) {
	const namespace = "failing"
	b.Say("\na Machine that is refused, one that waits, one that leads nowhere, for %s: attempts", b.Sizes.Failing)
	if err := b.MakeNamespaces(ctx, namespace); err != nil {
		return nil, err
	}
	silent, refusing := b.Fleet.Remotes[2], b.Lookers[3]
	if err := errors.Join(b.Refuse(ctx, refusing), silent.SetFault(faults.Fault{Kind: faults.Blackhole})); err != nil {
		return nil, err
	}
	defer func() {
		err = errors.Join(err, silent.SetFault(faults.Fault{Kind: faults.Pass}), b.Accept(ctx, refusing),
			b.Clean(ctx, namespace, false))
	}()
	if err := b.UntilSilent(ctx, silent.Name); err != nil {
		return nil, err
	}
	troubles := []*trouble{
		{name: "refused", config: b.Fleet.Remotes[3].Name, in: b.Fleet.Remotes[3], attempt: audit.Filter{Verb: "create"}},
		{name: "waiting", in: b.Fleet.Remotes[0], attempt: audit.Filter{Verb: "get"}},
		{name: "nowhere", config: "cluster-nowhere", in: b.Fleet.Supervisor, attempt: audit.Filter{Verb: "patch"}},
	}
	since := time.Now()
	for _, each := range troubles {
		if err := b.Admin.Create(ctx, stage.NewMachine(namespace, each.name, each.config)); err != nil {
			return nil, err
		}
	}
	if err := b.pass(ctx, b.Sizes.Failing); err != nil {
		return nil, err
	}
	return b.countAttempts(namespace, since, troubles)
}

// countAttempts makes the rows of a time that is over.
func (b *Bench) countAttempts(namespace string, since time.Time, troubles []*trouble) (rows []report.Row, err error) {
	until := since.Add(b.Sizes.Failing)
	var all, late []float64
	for _, each := range troubles {
		each.attempt.Namespace, each.attempt.Since, each.attempt.Until = namespace, since, until
		each.attempt.Name = each.name
		if each.in != b.Fleet.Supervisor {
			each.attempt.Name = "vm-" + each.name
		}
		if each.attempts, err = stage.Calls(each.in, each.attempt); err != nil {
			return nil, err
		}
		if len(each.attempts) == 0 {
			asked, err := b.CallsEverywhere(audit.Filter{Namespace: namespace})
			return nil, errors.Join(err, fmt.Errorf("nothing was attempted for the Machine %s, but\n%s", each.name,
				audit.Tally(asked)))
		}
		all = append(all, float64(len(each.attempts)))
		in5 := 0
		for _, call := range each.attempts {
			b.Say("  %-8s %6.1f s  %s", each.name, call.Received.Sub(since).Seconds(), call)
			if call.Received.After(until.Add(-longest)) {
				in5++
			}
		}
		late = append(late, float64(in5))
	}
	rows = append(rows, report.Most(RowFailing, report.Count, room(b.Sizes.Failing), all).
		Noted("the most of a refused, a waiting and a mistaken Machine in %s; the bound is what has room "+
			"where waits are 1, 2, 4 … s", b.Sizes.Failing))
	if b.Sizes.Failing >= backed+longest+margin {
		rows = append(rows, report.Most(RowBacked, report.Count, 1, late).
			Noted("the most of a refused, a waiting and a mistaken Machine in the last 5 of %s", b.Sizes.Failing))
	}
	return rows, nil
}

// room is how many attempts have room in a time: the first, and one after each wait of 1, 2, 4 …
// 300 seconds.
func room(d time.Duration) float64 {
	if d <= backed {
		return 1 + math.Floor(math.Log2(d.Seconds()+1))
	}
	return 10 + math.Floor(float64(d-backed)/float64(longest))
}

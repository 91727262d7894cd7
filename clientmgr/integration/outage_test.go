package integration

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

// TestOutageIsResumed breaks a connected cluster in every way that a network has. No read is
// answered from what may be the past, no other cluster feels it, and when it is over nothing is
// listed.
func TestOutageIsResumed(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason    string
		fault     faults.Fault
		terminate bool // the fault has to reach streams that are open
		want      string
	}{
		"refused": {reason: "the server is away", fault: faults.Fault{Kind: faults.Refuse},
			want: clientmgr.ReasonUnreachable},
		"reset": {reason: "a firewall in between", fault: faults.Fault{Kind: faults.Reset},
			want: clientmgr.ReasonUnreachable},
		"black hole": {reason: "a partition swallows what is sent", fault: faults.Fault{Kind: faults.Blackhole},
			want: clientmgr.ReasonUnreachable},
		"errors": {reason: "a load balancer without a server", fault: faults.Fault{Kind: faults.Errors, Rate: 1},
			want: clientmgr.ReasonUnreachable},
		"unauthorized": {reason: "an authenticator that is away", fault: faults.Fault{Kind: faults.Unauthorized},
			want: clientmgr.ReasonUnauthorized},
		"watch stall": {reason: "pings are answered, events are not", fault: faults.Fault{Kind: faults.Stall},
			terminate: true, want: clientmgr.ReasonWatchStalled},
		"black-holed watch": {reason: "the probe is well; the watch's next opening hangs",
			fault: faults.Fault{Kind: faults.Blackhole, On: faults.Watch}, terminate: true, want: clientmgr.ReasonWatchStalled},
		"reset watch": {reason: "a proxy that does not like streams",
			fault: faults.Fault{Kind: faults.Reset, On: faults.Watch}, want: clientmgr.ReasonWatchStalled},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, func(o *clientmgr.Options) {
				if tc.terminate { // a quiet watch must not count as stalled before the fault begins
					o.Watch.Silence = 10 * time.Second
				}
			})
			other := f.bystander()
			proxy := f.proxy(east, tc.terminate)
			f.config("east", f.admin(east, proxy.Addr()))
			f.connects("east")
			f.must(east.admin.Create(t.Context(), f.configMap("held")))
			f.sees("east", "held")
			held := f.client("east")
			begin, before, open := f.breaks("east", east, proxy, tc.fault)
			f.must(east.admin.Create(t.Context(), f.configMap("meanwhile")))
			state := f.reaches("east", clientmgr.Degraded, tc.want)
			f.refused("east", held, clientmgr.ErrNotConnected)
			if state.DisconnectedSince.Before(begin) {
				t.Errorf("disconnected since %s, but the fault began at %s", state.DisconnectedSince, begin)
			}
			f.lookupsAreQuick("east")
			f.healthNames("east", other)

			// A partition that is over before anybody gives the connection up leaves its stream as it was:
			// that is another test.
			eventually.Eventually(t, time.Minute, "the watch ends", func(context.Context) error {
				if f.openWatches("east") == open && f.audited(east).watches == before.watches {
					return errors.New("the stream is still open")
				}
				return nil
			})
			f.must(proxy.Set(faults.Fault{}))
			if state := f.connects("east"); !state.DisconnectedSince.IsZero() {
				t.Errorf("connected, but disconnected since %s", state.DisconnectedSince)
			}
			f.sees("east", "meanwhile")
			f.must(held.Get(t.Context(), f.key("meanwhile"), f.configMap("")))
			other.check(t)
			after := f.audited(east)
			if diff := cmp.Diff(before.relists, after.relists); diff != "" {
				t.Errorf("%s: relists: -want +got:\n%s", tc.reason, diff)
			}
			if after.watches == before.watches {
				t.Error("the stream outlived the fault: the test is about nothing")
			}
		})
	}
}

// breaks begins a fault of a connected cluster whose watches are open, and returns when it began and
// what there was before. A busy machine may lose a cluster by itself: such a beginning is none, and
// is tried again.
func (f *fixture) breaks(
	config string, p *plane, proxy *faults.Proxy, fault faults.Fault,
) (time.Time, traffic, float64) {
	f.t.Helper()
	for range 10 {
		f.connects(config)
		before, open, begin := f.audited(p), f.openWatches(config), time.Now()
		f.must(proxy.Set(fault))
		state, _ := f.State(config)
		if open > 0 && (state.Phase == clientmgr.Connected || !state.DisconnectedSince.Before(begin)) {
			return begin, before, open
		}
		f.must(proxy.Set(faults.Fault{}))
	}
	f.t.Fatal("no fault could begin: the cluster is never well for long")
	return time.Time{}, traffic{}, 0
}

// openWatches is the number of watches whose streams are open.
func (f *fixture) openWatches(config string) float64 {
	f.t.Helper()
	return f.metric("clientmgr_watches", map[string]string{"kubevirt_config": config, "state": "open"})
}

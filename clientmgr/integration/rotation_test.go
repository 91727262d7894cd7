package integration

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

// load reads and writes through a cluster's client until it is ended, counts what fails, and keeps
// which versions it has written and which ones a Source has told of.
type load struct {
	calls, failures atomic.Int64
	first           atomic.Pointer[error]
	end             func()
	locked          struct {
		sync.Mutex
		written, told map[string]bool // by resourceVersion
	}
}

func (l *load) note(in func() map[string]bool, version string) {
	l.locked.Lock()
	defer l.locked.Unlock()
	in()[version] = true
}

func (l *load) written() map[string]bool { return l.locked.written }
func (l *load) told() map[string]bool    { return l.locked.told }

// tally is how many versions a Source has told of.
func (l *load) tally() int {
	l.locked.Lock()
	defer l.locked.Unlock()
	return len(l.locked.told)
}

// missed is what was written and never told of.
func (l *load) missed() error {
	l.locked.Lock()
	defer l.locked.Unlock()
	for version := range l.locked.written {
		if !l.locked.told[version] {
			return fmt.Errorf("version %s, one of %d, was not told of", version, len(l.locked.written))
		}
	}
	return nil
}

func (f *fixture) load(config string) *load {
	f.t.Helper()
	object := f.configMap("load")
	f.must(f.client(config).Create(f.t.Context(), object))
	live, err := f.Live(config)
	f.must(err)
	remote := f.client(config)
	l := &load{}
	l.locked.written, l.locked.told = map[string]bool{}, map[string]bool{}
	f.listenTo(f.t.Context(), func(of string, o client.Object) {
		if of == config && o.GetName() == object.Name {
			l.note(l.told, o.GetResourceVersion())
		}
	})
	// A listener that joins late is told of the latest version alone, so that nothing is written
	// before it has joined.
	eventually.Eventually(f.t, 30*time.Second, "the listener is told of the object", eventually.True(func() bool {
		return l.tally() > 0
	}))
	ctx, cancel := context.WithCancel(f.t.Context())
	var worker sync.WaitGroup
	l.end = sync.OnceFunc(func() {
		cancel()
		worker.Wait()
	})
	f.t.Cleanup(l.end)
	worker.Go(func() {
		for i := 0; ctx.Err() == nil; i++ {
			patch := client.RawPatch("application/merge-patch+json", []byte(`{"data":{"n":"`+strconv.Itoa(i)+`"}}`))
			for _, call := range []func() error{
				func() error { return live.Get(ctx, client.ObjectKeyFromObject(object), &corev1.ConfigMap{}) },
				func() error {
					after := object.DeepCopy()
					err := remote.Patch(ctx, after, patch)
					if err == nil {
						l.note(l.written, after.ResourceVersion)
					}
					return err
				},
			} {
				err := call()
				if ctx.Err() != nil {
					return
				}
				l.calls.Add(1)
				if err != nil {
					l.failures.Add(1)
					l.first.CompareAndSwap(nil, &err)
				}
			}
		}
	})
	return l
}

// check fails the test if a call failed or an event was lost.
func (l *load) check(t *testing.T) {
	t.Helper()
	l.end()
	if n := l.failures.Load(); n > 0 {
		t.Errorf("%d of %d calls failed, the first with: %v", n, l.calls.Load(), *l.first.Load())
	}
	eventually.Eventually(t, 30*time.Second, "no event is missed", func(context.Context) error { return l.missed() })
	t.Logf("%d calls, %d versions told of", l.calls.Load(), l.tally())
}

// rotated waits until the manager has taken over its n-th kubeconfig.
func (f *fixture) rotated(config string, n int) {
	f.t.Helper()
	eventually.Eventually(f.t, 30*time.Second, "the kubeconfig is taken over", func(context.Context) error {
		if got := f.counter("clientmgr_rotations_total", config); got != float64(n) {
			return fmt.Errorf("rotations: want %d, got %v", n, got)
		}
		return nil
	})
}

// counter is the sum of a metric's values for a KubevirtConfig.
func (f *fixture) counter(name, config string) float64 {
	f.t.Helper()
	return f.metric(name, map[string]string{"kubevirt_config": config})
}

// metric is the sum of a metric's values that have all these labels.
func (f *fixture) metric(name string, labels map[string]string) (sum float64) {
	f.t.Helper()
	families, err := f.registry.Gather()
	f.must(err)
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.GetMetric() {
			had := 0
			for _, label := range metric.GetLabel() {
				if value, wanted := labels[label.GetName()]; wanted && value == label.GetValue() {
					had++
				}
			}
			if had == len(labels) {
				sum += metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
			}
		}
	}
	return sum
}

// rotation is one way to change a credential, on north.
type rotation struct {
	reason string
	// turn returns the next kubeconfig, and what ends the former credential once the next one is in
	// the Secret. The first kubeconfig is a turn's as well.
	turn func(f *fixture, addr string) (next []byte, revoke func())
	// cut has all watches ended from outside once the former credential is of no use any more.
	cut bool
}

func rotationsOfNorth() map[string]rotation {
	nothing := func() {}
	return map[string]rotation{
		"token": {
			reason: "short-lived tokens are the rule; the old one stops working",
			turn: func(f *fixture, addr string) ([]byte, func()) {
				token, revoke := f.token(f.newUser(north))
				return f.kubeconfig(north, addr, token), revoke
			},
			cut: true,
		},
		"client certificate": {
			reason: "a new connection is needed; the old authority is taken away",
			turn: func(f *fixture, _ string) ([]byte, func()) {
				revoke, err := north.RotateClientCA(f.t.Context())
				f.must(err)
				return f.certificate(north, masters), func() { f.must(revoke(f.t.Context())) }
			},
		},
		"serving CA": {
			reason: "the server shows a certificate that the former CA does not vouch for",
			turn: func(f *fixture, _ string) ([]byte, func()) {
				_, err := north.RotateServingCA(f.t.Context())
				f.must(err)
				return f.certificate(north, masters), nothing
			},
		},
	}
}

func TestRotationsListNothing(t *testing.T) {
	t.Parallel()
	for name, tc := range rotationsOfNorth() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			north.alone(t)
			f := newFixture(t, nil, north)
			other, proxy := f.bystander(), f.proxy(north, true)
			first, end := tc.turn(f, proxy.Addr())
			f.config("north", first)
			f.connects("north")
			load, before := f.load("north"), f.audited(north)
			quickest := time.Minute
			for i := range 3 {
				next, revoke := tc.turn(f, proxy.Addr())
				begin := time.Now()
				f.rewrite("north", next)
				f.rotated("north", i+1)
				quickest = min(quickest, time.Since(begin))
				end()
				end = revoke
				if tc.cut {
					f.must(proxy.Set(faults.Fault{Kind: faults.Cut}))
				}
				f.must(north.admin.Create(t.Context(), f.configMap(fmt.Sprintf("turn-%d", i))))
				f.sees("north", fmt.Sprintf("turn-%d", i))
			}
			load.check(t)
			other.check(t)
			if t.Logf("in use within %s", quickest); quickest > time.Second {
				t.Errorf("%s: the new credential is in use within %s at best, want a second", tc.reason, quickest)
			}
			f.connects("north")
			var after traffic
			eventually.Eventually(t, 20*time.Second, "a watch is opened with the new credential", func(context.Context) error {
				if after = f.audited(north); after.watches <= before.watches {
					return fmt.Errorf("%+v, then %+v", before, after)
				}
				return nil
			})
			if diff := cmp.Diff(before.relists, after.relists); diff != "" {
				t.Errorf("%s: relists: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// masters is the group that may do anything.
const masters = "system:masters"

// certificate returns a kubeconfig with a new client certificate.
func (f *fixture) certificate(remote *plane, group string) []byte {
	f.t.Helper()
	pair, err := remote.ClientCertificate(controlplane.User{Name: "operator", Groups: []string{group}})
	f.must(err)
	data, err := controlplane.Kubeconfig{
		Cluster: remote.Name(), User: "operator", Server: "https://" + remote.Addr(), CA: remote.ServingCA(), Client: pair,
	}.Bytes()
	f.must(err)
	return data
}

func TestAddressIsFollowed(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	former, next := f.proxy(east, false), f.proxy(east, false)
	token, _ := f.token(f.newUser(east))
	f.config("east", f.kubeconfig(east, former.Addr(), token))
	f.connects("east")
	load := f.load("east")
	before := f.audited(east)
	f.rewrite("east", f.kubeconfig(east, next.Addr(), token))
	f.rotated("east", 1)
	f.must(former.Set(faults.Fault{Kind: faults.Refuse, On: faults.Dial}))
	f.must(east.admin.Create(t.Context(), f.configMap("moved")))
	f.sees("east", "moved")
	load.check(t)
	if diff := cmp.Diff(before.relists, f.audited(east).relists); diff != "" {
		t.Errorf("relists: -want +got:\n%s", diff)
	}
}

// TestYoungWatchesBreak breaks each watch as soon as it is open and before anything came over it.
func TestYoungWatchesBreak(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	proxy := f.proxy(east, false)
	f.config("east", f.admin(east, proxy.Addr()))
	f.connects("east")
	before := f.audited(east)
	for i := range 5 {
		f.must(proxy.Set(faults.Fault{Kind: faults.Cut}))
		eventually.Eventually(t, 30*time.Second, "the watch goes on", func(context.Context) error {
			if now := f.audited(east); now.watches <= before.watches+i {
				return fmt.Errorf("%+v, then %+v", before, now)
			}
			return nil
		})
	}
	f.must(east.admin.Create(t.Context(), f.configMap("late")))
	f.sees("east", "late")
	if diff := cmp.Diff(before.relists, f.audited(east).relists); diff != "" {
		t.Errorf("client-go lists anew where a watch ends within a second: relists: -want +got:\n%s", diff)
	}
}

func TestBrokenCandidateDoesNotReplaceAWorkingCredential(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	good := f.admin(east, east.Addr())
	f.config("east", good)
	f.connects("east")
	load := f.load("east")
	before := f.audited(east)
	f.rewrite("east", f.kubeconfig(east, east.Addr(), "not-a-token"))
	f.reaches("east", "Connected", "CandidateRefused")
	f.rewrite("east", []byte("garbage: [hunter2"))
	eventually.Eventually(t, 20*time.Second, "the new slip is told", func(context.Context) error {
		state, _ := f.State("east")
		if state.Reason != "CandidateRefused" || !strings.Contains(state.Message, "YAML") {
			return fmt.Errorf("%+v", state)
		}
		return nil
	})
	f.rewrite("east", f.kubeconfig(east, east.Addr(), "not-a-token"))
	f.reaches("east", "Connected", "CandidateRefused")
	f.rewrite("east", good)
	f.connects("east")
	load.check(t)
	if diff := cmp.Diff(before.relists, f.audited(east).relists); diff != "" {
		t.Errorf("relists: -want +got:\n%s", diff)
	}
}

package integration

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

// load reads and writes through a cluster's client until it is ended, and counts what fails.
type load struct {
	calls, failures atomic.Int64
	first           atomic.Pointer[error]
	end             func()
}

func (f *fixture) load(config string) *load {
	f.t.Helper()
	object := f.configMap("load")
	f.must(f.client(config).Create(f.t.Context(), object))
	live, err := f.Live(config)
	f.must(err)
	remote := f.client(config)
	l := &load{}
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
				func() error { return remote.Patch(ctx, object.DeepCopy(), patch) },
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

// check fails the test if a call failed.
func (l *load) check(t *testing.T) {
	t.Helper()
	l.end()
	if n := l.failures.Load(); n > 0 {
		t.Errorf("%d of %d calls failed, the first with: %v", n, l.calls.Load(), *l.first.Load())
	}
	t.Logf("%d calls", l.calls.Load())
}

// rotated waits until the manager has taken over its n-th kubeconfig.
func (f *fixture) rotated(config string, n int) {
	f.t.Helper()
	eventually(f.t, 30*time.Second, func() error {
		if got := f.counter("clientmgr_rotations_total", config); got != float64(n) {
			return fmt.Errorf("rotations: want %d, got %v", n, got)
		}
		return nil
	})
}

// counter returns the sum of a metric of one config.
func (f *fixture) counter(name, config string) (sum float64) {
	f.t.Helper()
	families, err := f.registry.Gather()
	f.must(err)
	for _, family := range families {
		if family.GetName() != name {
			continue
		}
		for _, metric := range family.GetMetric() {
			for _, label := range metric.GetLabel() {
				if label.GetName() == "kubevirtConfig" && label.GetValue() == config {
					sum += metric.GetCounter().GetValue() + metric.GetGauge().GetValue()
				}
			}
		}
	}
	return sum
}

// turn is one rotation: it returns the next kubeconfig, and what ends the former credential once the next one is in the Secret.
type turn func(f *fixture) (next []byte, revoke func())

func TestRotationsListNothing(t *testing.T) {
	const masters = "system:masters"
	cases := map[string]struct {
		reason string
		begin  func(f *fixture) []byte
		turn   turn
	}{
		"token": {
			reason: "short-lived tokens are the rule; the old one stops working",
			begin:  func(f *fixture) []byte { return f.admin(east, east.Addr()) },
			turn: func(f *fixture) ([]byte, func()) {
				token, revoke := f.token(f.newUser(east))
				return f.kubeconfig(east, east.Addr(), token), revoke
			},
		},
		"client certificate": {
			reason: "a new connection is needed; the old authority is taken away",
			begin:  func(f *fixture) []byte { return f.certificate(east, masters) },
			turn: func(f *fixture) ([]byte, func()) {
				revoke, err := east.RotateClientCA(f.t.Context())
				f.must(err)
				return f.certificate(east, masters), func() { f.must(revoke(f.t.Context())) }
			},
		},
		"serving CA": {
			reason: "the server shows a certificate that the former CA does not vouch for",
			begin:  func(f *fixture) []byte { return f.certificate(east, masters) },
			turn: func(f *fixture) ([]byte, func()) {
				_, err := east.RotateServingCA(f.t.Context())
				f.must(err)
				return f.certificate(east, masters), func() {}
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil)
			f.config("east", tc.begin(f))
			f.connects("east")
			load := f.load("east")
			before := f.audited(east)
			const turns = 3
			for i := range turns {
				next, revoke := tc.turn(f)
				f.rewrite("east", next)
				f.rotated("east", i+1)
				if i < turns-1 { // what the last turn made is in use
					revoke()
				}
				f.must(east.admin.Create(t.Context(), f.configMap(fmt.Sprintf("turn-%d", i))))
				f.sees("east", fmt.Sprintf("turn-%d", i))
			}
			load.check(t)
			f.connects("east")
			after := f.audited(east)
			if diff := cmp.Diff(before.relists, after.relists); diff != "" {
				t.Errorf("%s: relists: -want +got:\n%s", tc.reason, diff)
			}
			if after.watches <= before.watches {
				t.Errorf("no watch was opened with the new credential: %+v, then %+v", before, after)
			}
		})
	}
}

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

func TestBrokenCandidateDoesNotReplaceAWorkingCredential(t *testing.T) {
	f := newFixture(t, nil)
	good := f.admin(east, east.Addr())
	f.config("east", good)
	f.connects("east")
	load := f.load("east")
	before := f.audited(east)
	f.rewrite("east", f.kubeconfig(east, east.Addr(), "not-a-token"))
	f.reaches("east", "Connected", "CandidateRefused")
	f.rewrite("east", good)
	f.connects("east")
	load.check(t)
	if diff := cmp.Diff(before.relists, f.audited(east).relists); diff != "" {
		t.Errorf("relists: -want +got:\n%s", diff)
	}
}

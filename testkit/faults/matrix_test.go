package faults_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

// outcome is what a caller sees of one call.
type outcome string

const (
	answered outcome = "answered"
	silent   outcome = "silent"  // no answer
	stalled  outcome = "stalled" // a watch that opens and says nothing
	broken   outcome = "broken"  // an error of the connection
	refused  outcome = "refused"
	status5  outcome = "500"
	status4  outcome = "401"
)

// outcomes are those of a list, a watch and a write.
type outcomes [3]outcome

func every(o outcome) outcomes { return outcomes{o, o, o} }

// TestMatrix has every kind act on every scope, by both protocols, from pass-through and
// terminated, on connections that were there before and on new ones, and looks at list, watch and
// write each time; then it ends the fault.
func TestMatrix(t *testing.T) {
	ok := every(answered)
	cases := []struct {
		spec, on    string
		kept, fresh outcomes
		hangsUp     bool // on what is passed through
	}{
		{"pass", "all", ok, ok, false},
		{"blackhole", "all", every(silent), every(silent), false},
		{"blackhole", "dial", ok, every(silent), false},
		{"blackhole", "list", outcomes{silent, answered, answered}, outcomes{silent, answered, answered}, true},
		{"blackhole", "watch", outcomes{answered, silent, answered}, outcomes{answered, silent, answered}, true},
		{"blackhole", "write", outcomes{answered, answered, silent}, outcomes{answered, answered, silent}, true},
		{"reset", "all", every(broken), every(broken), false},
		{"reset", "dial", ok, every(broken), false},
		{"reset", "list", outcomes{broken, answered, answered}, outcomes{broken, answered, answered}, true},
		{"reset", "watch", outcomes{answered, broken, answered}, outcomes{answered, broken, answered}, true},
		{"reset", "write", outcomes{answered, answered, broken}, outcomes{answered, answered, broken}, true},
		{"refuse", "all", every(refused), every(refused), false},
		{"refuse", "dial", ok, every(refused), false},
		{"latency=1h", "all", every(silent), every(silent), false},
		{"latency=1h", "dial", ok, every(silent), false},
		{"latency=1h", "list", outcomes{silent, answered, answered}, outcomes{silent, answered, answered}, true},
		{"latency=1h", "watch", outcomes{answered, silent, answered}, outcomes{answered, silent, answered}, true},
		{"latency=1h", "write", outcomes{answered, answered, silent}, outcomes{answered, answered, silent}, true},
		{"errors=1", "all", every(status5), every(status5), true},
		{"errors=1", "list", outcomes{status5, answered, answered}, outcomes{status5, answered, answered}, true},
		{"errors=1", "watch", outcomes{answered, status5, answered}, outcomes{answered, status5, answered}, true},
		{"errors=1", "write", outcomes{answered, answered, status5}, outcomes{answered, answered, status5}, true},
		{"errors=0", "all", ok, ok, true},
		{"unauthorized", "all", every(status4), every(status4), true},
		{"unauthorized", "list", outcomes{status4, answered, answered}, outcomes{status4, answered, answered}, true},
		{"unauthorized", "watch", outcomes{answered, status4, answered}, outcomes{answered, status4, answered}, true},
		{"unauthorized", "write", outcomes{answered, answered, status4}, outcomes{answered, answered, status4}, true},
		{"stall", "all", outcomes{answered, stalled, answered}, outcomes{answered, stalled, answered}, true},
		{"stall", "watch", outcomes{answered, stalled, answered}, outcomes{answered, stalled, answered}, true},
		{"cut", "all", ok, ok, true},
		{"cut", "watch", ok, ok, true},
	}
	for _, tc := range cases {
		for _, protocol := range []string{"h1", "h2"} {
			for _, mode := range []string{"passed", "terminated"} {
				t.Run(strings.Join([]string{tc.spec, tc.on, protocol, mode}, "/"), func(t *testing.T) {
					t.Parallel()
					clock := clocktesting.NewFakeClock(time.Unix(1, 0))
					w := newWorld(t)
					p := w.proxy(t, func(o *faults.Options) { o.Terminate, o.Clock = mode == "terminated", clock })
					kept := threeClients(t, w, p, protocol)
					set(t, p, tc.spec, tc.on)
					if mode == "passed" && tc.hangsUp || (tc.spec == "reset" || tc.spec == "refuse") && tc.on == "all" {
						eventually.Eventually(t, patience, "the clients have seen the end of their connections",
							eventually.True(func() bool { return p.Stats().Open == 0 }))
					}
					if diff := cmp.Diff(tc.kept, look(t, w, p, kept, tc.kept)); diff != "" {
						t.Errorf("on connections kept: -want +got:\n%s", diff)
					}
					fresh := [3]*http.Client{w.client(t, protocol), w.client(t, protocol), w.client(t, protocol)}
					if diff := cmp.Diff(tc.fresh, look(t, w, p, fresh, tc.fresh)); diff != "" {
						t.Errorf("on new connections: -want +got:\n%s", diff)
					}
					if hurt := tc.kept != ok || tc.fresh != ok; hurt && tc.spec != "refuse" && p.Stats().Injected == 0 {
						t.Errorf("nothing is counted as injected: %+v", p.Stats())
					}
					set(t, p, "pass", "")
					if diff := cmp.Diff(ok, look(t, w, p, threeClients(t, w, p, protocol), ok)); diff != "" {
						t.Errorf("after the fault: -want +got:\n%s", diff)
					}
				})
			}
		}
	}
}

// threeClients returns clients that have a connection each.
func threeClients(t *testing.T, w *world, p *faults.Proxy, protocol string) (clients [3]*http.Client) {
	t.Helper()
	for i := range clients {
		clients[i] = w.client(t, protocol)
		if got := call(t, p, clients[i], http.MethodGet, answered); got != answered {
			t.Fatalf("warming up: %s", got)
		}
	}
	return clients
}

// look makes a list, a watch and a write at once and says what came of each.
func look(t *testing.T, w *world, p *faults.Proxy, clients [3]*http.Client, want outcomes) (got outcomes) {
	t.Helper()
	var calls sync.WaitGroup
	calls.Go(func() { got[0] = call(t, p, clients[0], http.MethodGet, want[0]) })
	calls.Go(func() { got[1] = watchOnce(t, w, p, clients[1], want[1]) })
	calls.Go(func() { got[2] = call(t, p, clients[2], http.MethodPost, want[2]) })
	calls.Wait()
	return got
}

func call(t *testing.T, p *faults.Proxy, c *http.Client, method string, want outcome) outcome {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), within(want))
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, "https://"+p.Addr()+"/pods", strings.NewReader("body"))
	if err != nil {
		t.Error(err)
	}
	resp, err := c.Do(r)
	if err != nil {
		return failure(err)
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return failure(err)
	}
	return ofStatus(resp.StatusCode)
}

// within is how long to wait for an outcome: silence is never over, so a little of it has to do.
func within(want outcome) time.Duration {
	if want == silent || want == stalled {
		return silence
	}
	return patience
}

// watchOnce opens a watch and waits for an event that is sent once it is open.
func watchOnce(t *testing.T, w *world, p *faults.Proxy, c *http.Client, want outcome) outcome {
	t.Helper()
	open := within(want)
	if want == stalled {
		open = patience
	}
	ctx, cancel := context.WithTimeout(t.Context(), open)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+p.Addr()+"/pods?watch=true", nil)
	if err != nil {
		t.Error(err)
	}
	resp, err := c.Do(r)
	if err != nil {
		return failure(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return ofStatus(resp.StatusCode)
	}
	w.api.emit("event")
	line := make(chan outcome, 1)
	go func() {
		if _, err := bufio.NewReader(resp.Body).ReadString('\n'); err != nil {
			line <- failure(err)
			return
		}
		line <- answered
	}()
	select {
	case got := <-line:
		return got
	case <-time.After(within(want)):
		cancel()
		<-line
		return stalled
	}
}

func failure(err error) outcome {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return silent
	case errors.Is(err, syscall.ECONNREFUSED):
		return refused
	default:
		return broken
	}
}

func ofStatus(code int) outcome {
	switch code {
	case http.StatusOK:
		return answered
	case http.StatusInternalServerError:
		return status5
	case http.StatusUnauthorized:
		return status4
	default:
		return outcome(http.StatusText(code))
	}
}

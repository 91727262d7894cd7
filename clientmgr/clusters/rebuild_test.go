package clusters

import (
	"errors"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/transport"
	"github.com/vitistack/kubevirt-multicluster/testkit/hostile"
)

// target leads to a server that is gone.
func target(t *testing.T) kubeconfig.Target {
	t.Helper()
	server := hostile.New("uid")
	defer server.Close()
	target, err := kubeconfig.Parse(server.Kubeconfig(), kubeconfig.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return target
}

// TestRefillsHaveABudget: data that go back in time are read anew at once, and a server whose data
// do so again and again is not read all the time.
func TestRefillsHaveABudget(t *testing.T) {
	clock := clocktesting.NewFakeClock(time.Unix(1e9, 0))
	options := Options{Clock: clock}.WithDefaults()
	c := newCluster("east", Wish{Kubeconfig: []byte("file")}, options)
	c.told = func(State, State) {}
	at := target(t)
	restored := func(want bool, reason string) {
		t.Helper()
		endpoint, err := transport.NewEndpoint(at, transport.EndpointOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if c.conn, err = newConnection(c.called, endpoint, identity{uid: "uid"}, options, func() {}); err != nil {
			t.Fatal(err)
		}
		c.conn.restored.Store(true)
		c.rebuild()
		c.lingering.Wait()
		if waits := c.refills.next.After(clock.Now()); waits != want {
			t.Errorf("%s: it waits: %t", reason, waits)
		}
		clock.SetTime(c.refills.next)
	}
	restored(false, "the first time")
	restored(true, "the second time")
	before := clock.Now()
	for range 6 {
		restored(true, "again and again")
	}
	if took := clock.Now().Sub(before); took < 40*time.Second {
		t.Errorf("six refills took %s: the back-off does not grow", took)
	}
	clock.Step(calm + time.Second)
	restored(false, "after a calm time")
}

// TestWhatIsOverIsTold: where a connection cannot be made, and a certificate's time is over, a
// person reads that and since when.
func TestWhatIsOverIsTold(t *testing.T) {
	at, refused := target(t), unreachable("the TLS handshake was refused")
	for _, tc := range []struct {
		reason string
		now    time.Time
		want   string
	}{
		{"all is valid, and nothing is added", time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC), refused.text},
		{"an authority that is over is the likely cause", time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), "is over since 20"},
		{"one that is yet to come may be our own clock's fault", time.Date(1960, 1, 1, 0, 0, 0, 0, time.UTC),
			"is not valid before 1970"},
	} {
		t.Run(tc.reason, func(t *testing.T) {
			err := dated(refused, at, tc.now)
			if !strings.HasPrefix(err.Error(), refused.text) || !strings.HasSuffix(err.Error(), tc.want) &&
				!strings.Contains(err.Error(), tc.want) || !errors.Is(err, ErrNotConnected) {
				t.Errorf("want %q in it, got %v", tc.want, err)
			}
		})
	}
}

// TestErrorsAreTheCallersOwn: who edits the error of a look-up edits nobody else's.
func TestErrorsAreTheCallersOwn(t *testing.T) {
	c := newCluster("east", Wish{}, Options{}.WithDefaults())
	var first *ConnectionError
	if err := c.view.Load().clientErr(); !errors.As(err, &first) {
		t.Fatalf("want a ConnectionError, got %v", err)
	}
	first.Message = "edited"
	if err := c.view.Load().clientErr(); err.Error() == "edited" {
		t.Error("an error is shared by all callers")
	}
}

// TestResourceNames: two groups may have a plural in common.
func TestResourceNames(t *testing.T) {
	for path, want := range map[string]string{
		"/api/v1/configmaps":                                      "configmaps",
		"/api/v1/namespaces/a/configmaps":                         "configmaps",
		"/apis/networking.k8s.io/v1/networkpolicies":              "networkpolicies.networking.k8s.io",
		"/apis/projectcalico.org/v3/namespaces/a/networkpolicies": "networkpolicies.projectcalico.org",
	} {
		if got := resourceOf(path); got != want {
			t.Errorf("%s: want %s, got %s", path, want, got)
		}
	}
}

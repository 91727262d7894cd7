package integration

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

// TestTroubleFromTheBeginning adds a cluster that cannot be connected to. It takes its time; nobody
// else does.
func TestTroubleFromTheBeginning(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason     string
		fault      faults.Fault
		phase      clientmgr.Phase
		want       string
		err        error
		live       bool // what is live can be read
		kubeconfig func(f *fixture, addr string) []byte
	}{
		"black hole at dial": {
			reason: "nothing comes back", fault: faults.Fault{Kind: faults.Blackhole},
			phase: clientmgr.Disconnected, want: clientmgr.ReasonUnreachable, err: clientmgr.ErrNotConnected,
		},
		"black hole at first read": {
			reason: "it takes connections and says nothing", fault: faults.Fault{Kind: faults.Blackhole, On: faults.List},
			phase: clientmgr.Disconnected, want: clientmgr.ReasonUnreachable, err: clientmgr.ErrNotConnected,
		},
		"black hole at first list": {
			reason: "a list that streams is a watch", fault: faults.Fault{Kind: faults.Blackhole, On: faults.Watch},
			phase: clientmgr.Connecting, want: clientmgr.ReasonNotSynced, err: clientmgr.ErrNotSynced, live: true,
		},
		"refused": {
			reason: "nothing listens", fault: faults.Fault{Kind: faults.Refuse},
			phase: clientmgr.Disconnected, want: clientmgr.ReasonUnreachable, err: clientmgr.ErrNotConnected,
		},
		"401": {
			reason: "the token is wrong", kubeconfig: func(f *fixture, addr string) []byte {
				return f.kubeconfig(east, addr, "not-a-token")
			},
			phase: clientmgr.Disconnected, want: clientmgr.ReasonUnauthorized, err: clientmgr.ErrUnauthorized,
		},
		"garbage": {
			reason: "somebody's finger slipped", kubeconfig: func(*fixture, string) []byte {
				return []byte("garbage: [hunter2")
			},
			phase: clientmgr.Stopped, want: clientmgr.ReasonBadKubeconfig, err: clientmgr.ErrBadKubeconfig,
		},
		"another CA": {
			reason: "somebody is in between", kubeconfig: func(f *fixture, addr string) []byte {
				return f.kubeconfig(west, addr, "token")
			},
			phase: clientmgr.Disconnected, want: clientmgr.ReasonUnreachable, err: clientmgr.ErrNotConnected,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, func(o *clientmgr.Options) { o.Watch.OpenTimeout = 10 * time.Second })
			other := f.bystander()
			proxy := f.proxy(east, true)
			f.must(proxy.Set(tc.fault))
			good := f.admin(east, proxy.Addr())
			first := good
			if tc.kubeconfig != nil {
				first = tc.kubeconfig(f, proxy.Addr())
			}
			f.config("east", first)
			f.reaches("east", tc.phase, tc.want)
			f.refused("east", nil, tc.err)
			f.lookupsAreQuick("east")
			if live, err := f.Live("east"); (err == nil) != tc.live {
				t.Errorf("%s: live: %v", tc.reason, err)
			} else if err == nil {
				f.must(live.Get(t.Context(), client.ObjectKey{Name: f.namespace}, &corev1.Namespace{}))
			}
			f.healthNames("east", other)
			if tc.kubeconfig != nil {
				f.rewrite("east", good)
			}
			f.must(proxy.Set(faults.Fault{}))
			f.connects("east")
			other.check(t)
		})
	}
}

func TestConfigDeletedWhileDialling(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *clientmgr.Options) { o.Probe.Timeout = time.Hour })
	proxy := f.proxy(east, false)
	f.must(proxy.Set(faults.Fault{Kind: faults.Blackhole}))
	other := f.bystander()
	f.config("east", f.admin(east, proxy.Addr()))
	f.reaches("east", clientmgr.Connecting, clientmgr.ReasonConnecting)
	f.must(supervisor.admin.Delete(t.Context(),
		&vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, Name: "east"}}))
	eventually.Eventually(t, 5*time.Second, "the KubevirtConfig is not known any more", func(context.Context) error {
		if _, err := f.GetClientForConfig(t.Context(), "east"); !errors.Is(err, clientmgr.ErrConfigNotFound) {
			return fmt.Errorf("want ErrConfigNotFound, got %w", err)
		}
		return nil
	})
	other.check(t)
	f.stop() // and waits for every goroutine: one that still dials would keep it
}

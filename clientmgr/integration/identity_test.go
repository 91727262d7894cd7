package integration

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

func TestIdentityChange(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	proxy := f.proxy(east, false)
	f.config("east", f.admin(east, proxy.Addr()))
	former := f.connects("east")
	f.must(east.admin.Create(t.Context(), f.configMap("held")))
	f.sees("east", "held")
	held := f.client("east")

	f.rewrite("east", f.admin(west, west.Addr()))
	state := f.reaches("east", clientmgr.Stopped, clientmgr.ReasonIdentityChanged)
	f.refused("east", held, clientmgr.ErrIdentityChanged)
	if diff := cmp.Diff(former.ClusterUID, state.RememberedUID); diff != "" || state.ClusterUID != "" ||
		state.SeenUID == "" || state.IdentityVerified != metav1.ConditionFalse {
		t.Errorf("what was known must be kept, and what is seen be told: %+v", state)
	}

	var config vitistackv1alpha1.KubevirtConfig
	f.must(supervisor.admin.Get(t.Context(), client.ObjectKey{Namespace: f.namespace, Name: "east"}, &config))
	config.Annotations = map[string]string{vitistackv1alpha1.AnnotationAcceptClusterUID: state.SeenUID}
	f.must(supervisor.admin.Update(t.Context(), &config))
	accepted := f.connects("east")
	if diff := cmp.Diff(state.SeenUID, accepted.ClusterUID); diff != "" {
		t.Errorf("accepted UID: -want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{former.ClusterUID}, accepted.FormerClusterUIDs); diff != "" {
		t.Errorf("ledgers of the predecessor could not be bound to its successor: -want +got:\n%s", diff)
	}
	if err := f.client("east").Get(t.Context(), client.ObjectKey{Namespace: f.namespace, Name: "held"},
		&corev1.ConfigMap{}); !apierrors.IsNotFound(err) {
		t.Errorf("an object of the former cluster is in the cache of the new one: %v", err)
	}
	if err := held.Get(t.Context(), client.ObjectKey{Namespace: f.namespace, Name: "held"},
		&corev1.ConfigMap{}); !errors.Is(err, clientmgr.ErrNotConnected) {
		t.Errorf("a client of the former cluster: want ErrNotConnected, got %v", err)
	}
}

// TestRecordOutlivesRestart starts a manager that finds what a former one has learned, in the
// status of the KubevirtConfig.
func TestRecordOutlivesRestart(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	proxy := f.proxy(east, false)
	f.must(proxy.Set(faults.Fault{Kind: faults.Blackhole}))
	f.stop()
	f.config("away", f.admin(east, proxy.Addr()))
	f.config("another", f.admin(west, west.Addr()))
	since := metav1.NewTime(time.Now().Add(-time.Hour).Truncate(time.Second))
	for _, name := range []string{"away", "another"} {
		var config vitistackv1alpha1.KubevirtConfig
		f.must(supervisor.admin.Get(t.Context(), f.key(name), &config))
		config.Status.DisconnectedSince, config.Status.ClusterUID = &since, east.uid(t)
		f.must(supervisor.admin.Status().Update(t.Context(), &config))
	}
	f.start(supervisor.Config(), supervisor.http, nil)
	state := f.reaches("away", clientmgr.Disconnected, clientmgr.ReasonUnreachable)
	if !state.DisconnectedSince.Equal(since.Time) || state.RememberedUID != east.uid(t) {
		t.Errorf("a restart is no news of the cluster: want disconnected since %s, is %+v", since, state)
	}
	state = f.reaches("another", clientmgr.Stopped, clientmgr.ReasonIdentityChanged)
	if state.RememberedUID != east.uid(t) || state.SeenUID != west.uid(t) {
		t.Errorf("the identity was recorded by a former process: %+v", state)
	}
	f.must(proxy.Set(faults.Fault{}))
	if state = f.connects("away"); !state.DisconnectedSince.IsZero() {
		t.Errorf("connected, but disconnected since %s", state.DisconnectedSince)
	}
}

// TestSameNameForAnotherCluster deletes a KubevirtConfig and creates one of its name for another
// cluster: nothing of the former one is left.
func TestSameNameForAnotherCluster(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		wait   bool // until the manager knows that the former one is gone
	}{
		"at leisure": {"the manager sees both", true},
		"at once":    {"the manager may see the new one alone", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, nil)
			other := f.bystander()
			f.config("reused", f.admin(east, east.Addr()))
			former := f.connects("reused")
			f.must(east.admin.Create(t.Context(), f.configMap("held")))
			f.sees("reused", "held")
			held := f.client("reused")
			next := f.admin(west, west.Addr())
			if tc.wait {
				f.forget("reused")
				f.config("reused", next)
			} else {
				meta := metav1.ObjectMeta{Namespace: f.namespace, Name: "reused"}
				f.must(supervisor.admin.Delete(t.Context(), &vitistackv1alpha1.KubevirtConfig{ObjectMeta: meta}))
				f.must(supervisor.admin.Update(t.Context(), f.secret("reused", next)))
				f.must(supervisor.admin.Create(t.Context(), &vitistackv1alpha1.KubevirtConfig{
					ObjectMeta: meta, Spec: vitistackv1alpha1.KubevirtConfigSpec{Name: "reused", KubeconfigSecretRef: "reused"},
				}))
			}
			eventually.Eventually(t, 30*time.Second, "the other cluster is connected", func(context.Context) error {
				if state, _ := f.State("reused"); !state.Ready() || state.ClusterUID == former.ClusterUID {
					return fmt.Errorf("%s: %+v", tc.reason, state)
				}
				return nil
			})
			if err := f.client("reused").Get(t.Context(), f.key("held"), &corev1.ConfigMap{}); !apierrors.IsNotFound(err) {
				t.Errorf("an object of the former cluster is in the cache of the new one: %v", err)
			}
			if err := held.Get(t.Context(), f.key("held"), &corev1.ConfigMap{}); !errors.Is(err, clientmgr.ErrNotConnected) {
				t.Errorf("a client of the former cluster: want ErrNotConnected, got %v", err)
			}
			other.check(t)
		})
	}
}

func TestAnotherClusterBehindTheSameAddress(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	proxy := f.proxy(east, false)
	pair, err := east.ClientCertificate(controlplane.User{Name: "operator", Groups: []string{"system:masters"}})
	f.must(err)
	bundle := append(append([]byte{}, east.ServingCA()...), west.ServingCA()...)
	f.config("east", f.custom(proxy.Addr(), bundle, pair))
	f.connects("east")
	held := f.client("east")
	f.must(proxy.SetTarget(west.Addr()))
	f.must(proxy.Set(faults.Fault{Kind: faults.Reset}))
	f.must(proxy.Set(faults.Fault{}))
	eventually.Eventually(t, 60*time.Second, "the cluster behind the address is no longer trusted",
		func(context.Context) error {
			if state, _ := f.State("east"); state.Phase == clientmgr.Connected {
				return errors.New("still connected")
			}
			return nil
		})
	f.refused("east", held, clientmgr.ErrNotConnected) // west does not know the certificate: 401
}

func (f *fixture) custom(addr string, ca []byte, pair controlplane.KeyPair) []byte {
	f.t.Helper()
	data, err := controlplane.Kubeconfig{Cluster: "east", User: "operator", Server: "https://" + addr, CA: ca,
		Client: pair}.Bytes()
	f.must(err)
	return data
}

package vitals

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/page/view"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// cluster is a fake cluster with one node, behind the client manager for tests.
type cluster struct {
	*clientmgr.MockClientManager
	took  time.Duration
	state clientmgr.State
	asked atomic.Int64
}

func (c *cluster) ProbeDuration(string) (time.Duration, bool) { return c.took, c.took > 0 }

func (c *cluster) State(string) (clientmgr.State, bool) { return c.state, true }

// newCluster is connected, and answers with an error where there is one.
func newCluster(fails error) *cluster {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node"}}
	node.Status.Allocatable = corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("8"), corev1.ResourceMemory: resource.MustParse("16Gi"),
	}
	node.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	c := &cluster{MockClientManager: clientmgr.NewMockClientManager(), took: 12345 * time.Microsecond}
	c.state = clientmgr.State{Config: "east", Phase: clientmgr.Connected, Since: time.Unix(1, 0)}
	inner := fake.NewClientBuilder().WithObjects(node).Build()
	c.LiveFunc = func(string) (client.Reader, error) {
		c.asked.Add(1)
		return clusters.Translated("KubevirtConfig", "east", interceptor.NewClient(inner, interceptor.Funcs{
			List: func(ctx context.Context, w client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
				if fails != nil {
					return fails
				}
				return w.List(ctx, list, opts...)
			},
		})), nil
	}
	return c
}

// until waits for an answer about the room, which comes beside the caller.
func until(t *testing.T, v *Vitals) view.Vitals {
	t.Helper()
	var got view.Vitals
	eventually.Eventually(t, 30*time.Second, "the cluster has answered", eventually.True(func() bool {
		got = v.Of("east")
		return got.Room != nil || got.NoRoom != ""
	}))
	return got
}

// TestRoom: what a cluster has left is asked for once in a while, and why it is not known is said.
func TestRoom(t *testing.T) {
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "nodes"}, "", errors.New("no"))
	for name, tc := range map[string]struct {
		fails error
		want  view.Room
		why   string
	}{
		"Answers":   {want: view.Room{MilliCPU: 8000, MemoryBytes: 16 << 30}},
		"Forbidden": {fails: forbidden, why: "the kubeconfig may not list nodes and pods"},
		"Silent":    {fails: context.DeadlineExceeded, why: "the cluster gave no answer about its nodes and pods"},
	} {
		t.Run(name, func(t *testing.T) {
			clock := clocktesting.NewFakePassiveClock(time.Unix(1000, 0))
			c := newCluster(tc.fails)
			v := New(c, Options{Clock: clock})
			got := until(t, v)
			if got.NoRoom != tc.why {
				t.Errorf("it says %q, want %q", got.NoRoom, tc.why)
			}
			if tc.why == "" && (got.Room.MilliCPU != tc.want.MilliCPU || got.Room.MemoryBytes != tc.want.MemoryBytes) {
				t.Errorf("its room is %+v, want %+v", got.Room, tc.want)
			}
			if *got.LatencyMillis != 12.35 && *got.LatencyMillis != 12.34 {
				t.Errorf("its latency is %v ms", *got.LatencyMillis)
			}
			for range 100 {
				v.Of("east")
			}
			if asked := c.asked.Load(); asked != 1 {
				t.Errorf("it was asked %d times within five minutes", asked)
			}
			clock.SetTime(clock.Now().Add(interval))
			v.Of("east")
			eventually.Eventually(t, 30*time.Second, "it is asked again", eventually.True(func() bool { return c.asked.Load() == 2 }))
		})
	}
}

// TestAway: of a cluster that is not connected nothing is known, and nobody asks it.
func TestAway(t *testing.T) {
	c := newCluster(nil)
	v := New(c, Options{})
	until(t, v)
	c.state.Phase = clientmgr.Degraded
	asked := c.asked.Load()
	if got := v.Of("east"); got.LatencyMillis != nil || got.Room != nil || got.NoRoom != "" {
		t.Errorf("of a cluster that is away it says %+v", got)
	}
	if c.asked.Load() != asked {
		t.Error("a cluster that is away is asked")
	}
	c.state.Phase, c.state.Since = clientmgr.Connected, time.Unix(2, 0)
	if got := v.Of("east"); got.Room != nil {
		t.Error("the room before the break is told of the new connection")
	}
	until(t, v)
}

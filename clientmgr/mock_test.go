package clientmgr_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

// machine returns a Machine with annotations given as key, value, key, value.
func machine(annotations ...string) *vitistackv1alpha1.Machine {
	m := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web",
		Annotations: map[string]string{}}}
	for i := 0; i+1 < len(annotations); i += 2 {
		m.Annotations[annotations[i]] = annotations[i+1]
	}
	return m
}

func ledger(config, clusterUID string) string {
	return vitistackv1alpha1.Ledger{Config: config, ClusterUID: clusterUID, Namespace: "default", VMName: "vm-web",
		Nonce: "n1"}.String()
}

func withField(m *vitistackv1alpha1.Machine, config string) *vitistackv1alpha1.Machine {
	m.Spec.KubevirtConfigRef = &vitistackv1alpha1.KubevirtConfigReference{Name: config}
	return m
}

func TestMockReadsTheReference(t *testing.T) {
	const request, placement = vitistackv1alpha1.AnnotationKubevirtConfig, vitistackv1alpha1.AnnotationPlacement
	cases := map[string]struct {
		reason  string
		machine *vitistackv1alpha1.Machine
		config  string
		err     error
	}{
		"annotation": {"the reference of seed-era Machines", machine(request, "east"), "east", nil},
		"field":      {"the reference of today", withField(machine(), "east"), "east", nil},
		"both alike": {"no conflict", withField(machine(request, "east"), "east"), "east", nil},
		"both differ": {"nobody guesses which one is meant", withField(machine(request, "west"), "east"), "",
			clientmgr.ErrReferenceConflict},
		"none": {"placing is not the manager's", machine(), "", clientmgr.ErrNoReference},
		"ledger wins": {"a placed Machine stays where it is, whatever is asked for now",
			machine(request, "west", placement, ledger("east", "east")), "east", nil},
		"ledger elsewhere": {"the same name may lead to another cluster by now",
			machine(placement, ledger("east", "another")), "east", clientmgr.ErrIdentityChanged},
		"ledger unreadable": {"a ledger half understood must not be acted upon", machine(placement, "{", request, "east"),
			"", clientmgr.ErrReferenceConflict},
		"unknown config": {"the only case in which a config is absent", machine(request, "nowhere"), "nowhere",
			clientmgr.ErrConfigNotFound},
		"config, no client": {"the mock's disconnected cluster", machine(request, "dark"), "dark",
			clientmgr.ErrNotConnected},
		"ledger without uid": {"an identity that could not be read is not compared", machine(placement, ledger("east", "")),
			"east", nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			mock := clientmgr.NewMockClientManager()
			mock.AddMockedClient("east", fake.NewClientBuilder().Build())
			mock.AddMockedClient("west", fake.NewClientBuilder().Build())
			mock.AddMockedConfig(&vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Name: "dark"}})

			remote, config, err := mock.GetOrCreateClientFromMachine(t.Context(), tc.machine)
			if !errors.Is(err, tc.err) {
				t.Errorf("%s: want error %v, got %v", tc.reason, tc.err, err)
			}
			if (err == nil) != (remote != nil) {
				t.Errorf("%s: a client comes without an error and never with one: %v, %v", tc.reason, remote, err)
			}
			if diff := cmp.Diff(tc.config, config); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(1, mock.GetOrCreateFromMachineCalls); diff != "" {
				t.Errorf("calls: -want +got:\n%s", diff)
			}
		})
	}
}

func TestMockIsSafeForConcurrentUse(t *testing.T) {
	mock := clientmgr.NewMockClientManager()
	var users sync.WaitGroup
	for i := range 16 {
		users.Go(func() {
			name := strconv.Itoa(i % 4)
			mock.AddMockedClient(name, fake.NewClientBuilder().Build())
			_, _ = mock.GetClientForConfig(t.Context(), name)
			_, _, _ = mock.GetOrCreateClientFromMachine(t.Context(), machine(vitistackv1alpha1.AnnotationKubevirtConfig, name))
			_ = mock.HealthCheck(t.Context())
			mock.InvalidateAll()
			_, _ = mock.ListKubevirtConfigs(t.Context())
			_ = mock.States()
			_ = mock.Calls()
		})
	}
	users.Wait()
	calls := mock.Calls()
	if diff := cmp.Diff([]int{16, 16}, []int{len(calls.GetClient), calls.GetOrCreateFromMachine}); diff != "" {
		t.Errorf("calls: -want +got:\n%s", diff)
	}
	mock.ResetCallTracking()
	if diff := cmp.Diff(clientmgr.MockCalls{}, mock.Calls()); diff != "" {
		t.Errorf("after ResetCallTracking: -want +got:\n%s", diff)
	}
}

func TestMockSourceTellsObjectsAndStates(t *testing.T) {
	mock := clientmgr.NewMockClientManager()
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	defer queue.ShutDown()
	request := func(name string) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: name}}}
	}
	err := mock.Source(clientmgr.EventHandler{
		Object: func(_ context.Context, config string, o client.Object) []reconcile.Request {
			return request(config + "/" + o.GetName())
		},
		State: func(_ context.Context, config string) []reconcile.Request { return request(config) },
	}).Start(t.Context(), queue)
	if err != nil {
		t.Fatal(err)
	}

	mock.EmitObject("east", &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "a"}})
	mock.SetState(clientmgr.State{Config: "west", Phase: clientmgr.Degraded})

	got := map[string]bool{}
	deadline := time.AfterFunc(10*time.Second, queue.ShutDown)
	defer deadline.Stop()
	for len(got) < 2 {
		item, shutdown := queue.Get()
		if shutdown {
			t.Fatalf("want two requests, got %v", got)
		}
		got[item.Name] = true
		queue.Done(item)
	}
	if diff := cmp.Diff(map[string]bool{"east/a": true, "west": true}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestZeroMock has a story: what was added to a MockClientManager{} went into a nil map.
func TestZeroMock(t *testing.T) {
	cases := map[string]struct {
		reason string
		add    func(*clientmgr.MockClientManager)
		want   error // of GetClientForConfig
	}{
		"client": {"a client is all that most tests add", func(m *clientmgr.MockClientManager) {
			m.AddMockedClient("east", fake.NewClientBuilder().Build())
		}, nil},
		"no client": {"a client may be taken away before there was one", func(m *clientmgr.MockClientManager) {
			m.AddMockedClient("east", nil)
		}, clientmgr.ErrNotConnected},
		"config": {"a config without a client is one without contact", func(m *clientmgr.MockClientManager) {
			m.AddMockedConfig(&vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Name: "east"}})
		}, clientmgr.ErrNotConnected},
		"state": {"a state alone makes no config known", func(m *clientmgr.MockClientManager) {
			m.SetState(clientmgr.State{Config: "east"})
		}, clientmgr.ErrConfigNotFound},
		"nothing": {"nothing is known", func(*clientmgr.MockClientManager) {}, clientmgr.ErrConfigNotFound},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var m clientmgr.MockClientManager
			tc.add(&m)
			if _, err := m.GetClientForConfig(t.Context(), "east"); !errors.Is(err, tc.want) {
				t.Errorf("%s: want %v, got %v", tc.reason, tc.want, err)
			}
		})
	}
}

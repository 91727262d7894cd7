package clientmgr_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
)

// A manager that caches the Pods with one label from every cluster, and runs beside the controllers
// that use it.
func ExampleNewKubevirtClientManager() {
	supervisor, err := ctrl.NewManager(ctrl.GetConfigOrDie(), ctrl.Options{
		Cache: cache.Options{ByObject: clientmgr.SupervisorCache(true, "kubevirt-configs")},
	})
	if err != nil {
		return
	}
	remotes, err := clientmgr.NewKubevirtClientManager(supervisor.GetClient(), supervisor.GetCache(), clientmgr.Options{
		ConfigsNamespace: "kubevirt-configs",
		Options: clusters.Options{
			Kinds: map[client.Object]cache.ByObject{
				&corev1.Pod{}: {Label: labels.SelectorFromSet(labels.Set{"app": "web"})},
			},
			Rights: []authorizationv1.ResourceAttributes{{Verb: "create", Resource: "pods"}},
		},
	})
	if err != nil {
		return
	}
	if err := supervisor.Add(remotes); err != nil {
		return
	}
	if err := supervisor.Start(ctrl.SetupSignalHandler()); err != nil {
		return
	}
}

// A controller of Machines that wakes for what happens in the remote clusters, present and future
// ones.
func ExampleKubevirtClientManager_Source() {
	wire := func(supervisor ctrl.Manager, remotes clientmgr.EventSource, reconciler reconcile.Reconciler) error {
		source := remotes.Source(clientmgr.EventHandler{
			Object: func(_ context.Context, _ string, object client.Object) []reconcile.Request {
				machine := object.GetLabels()["vitistack.io/source-machine"]
				return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: object.GetNamespace(), Name: machine}}}
			},
		})
		return builder.ControllerManagedBy(supervisor).For(&vitistackv1alpha1.Machine{}).WatchesRawSource(source).Complete(
			reconciler)
	}
	_ = wire
}

// An error says what it is, for programs and for people, and how long it has been so.
func ExampleConnectionError() {
	now := time.Unix(1000, 0)
	var err error = &clientmgr.ConnectionError{
		Config: "cluster-east", Reason: clientmgr.ErrUnauthorized, Since: now.Add(-time.Minute),
		Message: "KubevirtConfig cluster-east: the server refuses the credential",
	}
	var failed *clientmgr.ConnectionError
	if errors.Is(err, clientmgr.ErrNotConnected) && errors.As(err, &failed) {
		fmt.Println(failed, "for", failed.Age(now))
	}
	// Output: KubevirtConfig cluster-east: the server refuses the credential for 1m0s
}

// A unit test injects clients, and looks at who asked.
func ExampleMockClientManager() {
	remotes := clientmgr.NewMockClientManager()
	remotes.AddMockedClient("cluster-east", fake.NewClientBuilder().Build())
	remotes.AddMockedConfig(&vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Name: "cluster-west"}})

	machine := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{
		Annotations: map[string]string{"vitistack.io/kubevirt-config": "cluster-east"},
	}}
	_, config, err := remotes.GetOrCreateClientFromMachine(context.Background(), machine)
	fmt.Println(config, err)
	_, err = remotes.GetClientForConfig(context.Background(), "cluster-west")
	fmt.Println(err)
	fmt.Println(remotes.GetOrCreateFromMachineCalls, remotes.GetClientCalls)
	// Output:
	// cluster-east <nil>
	// KubevirtConfig cluster-west: not connected
	// 1 [cluster-west]
}

// The states of all clusters, as a status page or a controller of KubevirtConfigs wants them.
func ExampleStateReporter() {
	remotes := clientmgr.NewMockClientManager()
	remotes.SetState(clientmgr.State{
		Config: "cluster-east", Phase: clientmgr.Stopped, Reason: clientmgr.ReasonIdentityChanged, ClusterUID: "one",
		SeenUID: "another",
	})
	var reporter clientmgr.StateReporter = remotes
	for _, state := range reporter.States() {
		fmt.Println(state.Config, state.Phase, state.Reason, state.Ready())
	}
	// Output: cluster-east Stopped IdentityChanged false
}

// One error for all clusters, sorted by name.
func ExampleHealthError() {
	remotes := clientmgr.NewMockClientManager()
	remotes.AddMockedConfig(&vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Name: "cluster-west"}})
	remotes.AddMockedClient("cluster-east", fake.NewClientBuilder().Build())
	fmt.Println(errors.Is(clientmgr.HealthError(remotes.HealthCheck(context.Background())), clientmgr.ErrNotConnected))
	// Output: true
}

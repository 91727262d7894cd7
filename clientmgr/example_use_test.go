package clientmgr_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/source"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

// A reconcile asks for the client each time, and decides by the error what to do: it never waits,
// and never takes silence for absence.
func ExampleClientManager() {
	reconcile := func(ctx context.Context, clusters clientmgr.ClientManager,
		machine *vitistackv1alpha1.Machine) (ctrl.Result, error) {
		remote, config, err := clusters.GetOrCreateClientFromMachine(ctx, machine)
		switch {
		case errors.Is(err, clientmgr.ErrNoReference), errors.Is(err, clientmgr.ErrConfigNotFound):
			return ctrl.Result{}, nil // a person has to act; its event wakes us
		case err != nil:
			fmt.Println("waiting:", err)
			return ctrl.Result{RequeueAfter: time.Minute}, nil // the Source wakes us when the cluster is back
		}
		fmt.Println("working in", config)
		return ctrl.Result{}, remote.List(ctx, &corev1.PodList{})
	}
	clusters := clientmgr.NewMockClientManager()
	clusters.AddMockedClient("cluster-east", fake.NewClientBuilder().Build())
	clusters.AddMockedConfig(&vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Name: "cluster-west"}})
	for _, name := range []string{"cluster-east", "cluster-west"} {
		machine := &vitistackv1alpha1.Machine{
			Spec: vitistackv1alpha1.MachineSpec{KubevirtConfigRef: &vitistackv1alpha1.KubevirtConfigReference{Name: name}},
		}
		_, _ = reconcile(context.Background(), clusters, machine)
	}
	// Output:
	// working in cluster-east
	// waiting: KubevirtConfig cluster-west: not connected
}

// An absence that decides something is proven by the server itself: only its own word about the
// object is NotFound.
func ExampleLiveGetter() {
	gone := func(ctx context.Context, clusters clientmgr.LiveGetter, config string, key client.ObjectKey) (bool, error) {
		live, err := clusters.Live(config)
		if err != nil {
			return false, err // nobody can say
		}
		err = live.Get(ctx, key, &corev1.ConfigMap{})
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	}
	clusters := clientmgr.NewMockClientManager()
	clusters.AddMockedClient("cluster-east", fake.NewClientBuilder().Build())
	clusters.AddMockedConfig(&vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Name: "cluster-west"}})
	for _, config := range []string{"cluster-east", "cluster-west"} {
		fmt.Println(gone(context.Background(), clusters, config, client.ObjectKey{Namespace: "default", Name: "web"}))
	}
	// Output:
	// true <nil>
	// false KubevirtConfig cluster-west: not connected
}

// Any client of client-go works through a connection, and follows its rotations.
func ExampleKubevirtClientManager_GetRESTConfigForConfig() {
	logs := func(ctx context.Context, clusters *clientmgr.KubevirtClientManager) ([]byte, error) {
		config, err := clusters.GetRESTConfigForConfig(ctx, "cluster-east")
		if err != nil {
			return nil, err
		}
		clientset, err := kubernetes.NewForConfig(config)
		if err != nil {
			return nil, err
		}
		return clientset.CoreV1().Pods("default").GetLogs("web", &corev1.PodLogOptions{}).DoRaw(ctx)
	}
	_ = logs
}

// A connection as controller-runtime's cluster.Cluster, with an index of one's own.
func ExampleKubevirtClientManager_Cluster() {
	byNode := func(ctx context.Context, clusters *clientmgr.KubevirtClientManager) (source.Source, error) {
		east, err := clusters.Cluster("cluster-east")
		if err != nil {
			return nil, err
		}
		err = east.GetFieldIndexer().IndexField(ctx, &corev1.Pod{}, "spec.nodeName", func(o client.Object) []string {
			return []string{o.(*corev1.Pod).Spec.NodeName}
		})
		return source.Kind[client.Object](east.GetCache(), &corev1.Pod{}, &handler.EnqueueRequestForObject{}), err
	}
	_ = byNode
}

// A supervisor with cluster-scoped KubevirtConfigs: Secrets in one namespace are watched, those
// elsewhere are read.
func ExampleSupervisorCache() {
	supervisor, err := ctrl.NewManager(ctrl.GetConfigOrDie(), ctrl.Options{
		Cache: cache.Options{ByObject: clientmgr.SupervisorCache(false, "kubevirt-configs")},
	})
	if err != nil {
		return
	}
	_, err = clientmgr.NewKubevirtClientManager(supervisor.GetClient(), supervisor.GetCache(), clientmgr.Options{
		Secrets: supervisor.GetAPIReader(), SecretInterval: time.Minute,
	})
	if err != nil {
		return
	}
}

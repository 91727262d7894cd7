package integration

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

// fixture is a manager of one test, with a namespace of its own in every cluster. Its remote kind
// is the ConfigMap with a label.
type fixture struct {
	*clientmgr.KubevirtClientManager
	t         testing.TB
	namespace string
	label     string
	registry  *prometheus.Registry
	stop      func() // and wait
}

// newFixture starts a manager with short times. adjust may change its options. planes are clusters
// to prepare besides east and west.
func newFixture(t testing.TB, adjust func(*clientmgr.Options), planes ...*plane) *fixture {
	t.Helper()
	return newFixtureBehind(t, supervisor.Config(), supervisor.http, adjust, planes...)
}

// newFixtureBehind is newFixture whose manager follows the supervisor through config and http.
func newFixtureBehind(
	t testing.TB, config *rest.Config, http *http.Client, adjust func(*clientmgr.Options), planes ...*plane,
) *fixture {
	t.Helper()
	f := &fixture{t: t, registry: prometheus.NewRegistry()}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	f.must(supervisor.admin.Create(t.Context(), namespace))
	f.namespace, f.label = namespace.Name, namespace.Name
	for _, remote := range append([]*plane{east, west}, planes...) {
		f.must(remote.admin.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: f.namespace}}))
	}
	f.start(config, http, adjust)
	t.Cleanup(func() { f.stop() })
	return f
}

// start starts a manager. A test that has stopped its first one may start another.
func (f *fixture) start(config *rest.Config, http *http.Client, adjust func(*clientmgr.Options)) {
	f.t.Helper()
	options := clientmgr.Options{
		ConfigsNamespace: f.namespace,
		Options: clusters.Options{
			Scheme: scheme, Registerer: f.registry,
			Kinds: map[client.Object]cache.ByObject{
				&corev1.ConfigMap{}: {Label: labels.SelectorFromSet(labels.Set{"test": f.label})},
			},
			Connection: clusters.Connection{
				Probe:      clusters.Probe{Interval: time.Second, Timeout: 2 * time.Second},
				Watch:      clusters.Watch{OpenTimeout: 3 * time.Second},
				BackoffMax: 2 * time.Second,
			},
		},
	}
	if adjust != nil {
		adjust(&options)
	}
	c, err := cache.New(config, cache.Options{Scheme: scheme, ByObject: clientmgr.SupervisorCache(true, f.namespace),
		HTTPClient: http})
	f.must(err)
	f.KubevirtClientManager, err = clientmgr.NewKubevirtClientManager(supervisor.admin, c, options)
	f.must(err)
	f.stop = f.run(c.Start, f.Start)
}

// run starts what runs beside the test, and returns what ends it and waits.
func (f *fixture) run(starts ...func(context.Context) error) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, len(starts))
	for _, start := range starts {
		go func() { ended <- start(ctx) }()
	}
	return sync.OnceFunc(func() {
		cancel()
		for range starts {
			select {
			case err := <-ended:
				if err != nil {
					f.t.Errorf("ended with %v", err)
				}
			case <-time.After(30 * time.Second):
				f.t.Error("did not stop within 30 s")
			}
		}
	})
}

func (f *fixture) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// user is a ServiceAccount that may do anything, and gets tokens.
type user struct {
	remote *plane
	name   client.ObjectKey
}

func (f *fixture) newUser(remote *plane) user {
	f.t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, GenerateName: "operator-"}}
	f.must(remote.admin.Create(f.t.Context(), account))
	f.must(remote.admin.Create(f.t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: f.namespace + "-" + account.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: account.Namespace, Name: account.Name}},
	}))
	return user{remote: remote, name: client.ObjectKeyFromObject(account)}
}

// token returns a token of a user, and what revokes it: the Secret that it is bound to is deleted.
func (f *fixture) token(u user) (token string, revoke func()) {
	f.t.Helper()
	bound := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: u.name.Namespace, GenerateName: "bound-"}}
	f.must(u.remote.admin.Create(f.t.Context(), bound))
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		BoundObjectRef: &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Secret", Name: bound.Name,
			UID: bound.UID},
	}}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: u.name.Namespace, Name: u.name.Name}}
	f.must(u.remote.admin.SubResource("token").Create(f.t.Context(), account, request))
	return request.Status.Token, func() { f.must(u.remote.admin.Delete(context.WithoutCancel(f.t.Context()), bound)) }
}

// kubeconfig returns one for a token, at an address: the cluster's own or a proxy's.
func (f *fixture) kubeconfig(remote *plane, addr, token string) []byte {
	f.t.Helper()
	data, err := controlplane.Kubeconfig{
		Cluster: remote.Name(), User: "operator", Server: "https://" + addr, CA: remote.ServingCA(), Token: token,
	}.Bytes()
	f.must(err)
	return data
}

// admin returns a kubeconfig of a new user at an address.
func (f *fixture) admin(remote *plane, addr string) []byte {
	f.t.Helper()
	token, _ := f.token(f.newUser(remote))
	return f.kubeconfig(remote, addr, token)
}

// proxy starts a proxy in front of a cluster.
func (f *fixture) proxy(remote *plane, terminate bool) *faults.Proxy {
	f.t.Helper()
	files := remote.Files()
	p, err := faults.Start(faults.Options{
		Target: remote.Addr(), ServingCert: files.ServingCert, ServingKey: files.ServingKey, TargetCA: files.ServingCA,
		ClientCA: files.ClientCA, FrontProxyCert: files.FrontProxyCert, FrontProxyKey: files.FrontProxyKey,
		Terminate: terminate,
	})
	f.must(err)
	f.t.Cleanup(func() {
		if err := p.Close(); err != nil {
			f.t.Errorf("closing the proxy: %v", err)
		}
	})
	return p
}

// config creates a KubevirtConfig and, unless kubeconfig is nil, its Secret.
func (f *fixture) config(name string, kubeconfig []byte) {
	f.t.Helper()
	if kubeconfig != nil {
		f.must(supervisor.admin.Create(f.t.Context(), f.secret(name, kubeconfig)))
	}
	f.must(supervisor.admin.Create(f.t.Context(), &vitistackv1alpha1.KubevirtConfig{
		ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, Name: name},
		Spec:       vitistackv1alpha1.KubevirtConfigSpec{Name: name, KubeconfigSecretRef: name},
	}))
}

func (f *fixture) secret(name string, kubeconfig []byte) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, Name: name},
		Data:       map[string][]byte{vitistackv1alpha1.KubeconfigSecretKey: kubeconfig},
	}
}

// rewrite replaces the Secret's kubeconfig.
func (f *fixture) rewrite(name string, kubeconfig []byte) {
	f.t.Helper()
	f.must(supervisor.admin.Update(f.t.Context(), f.secret(name, kubeconfig)))
}

// forget deletes a KubevirtConfig and its Secret, and waits until the manager knows it no more.
func (f *fixture) forget(name string) {
	f.t.Helper()
	meta := metav1.ObjectMeta{Namespace: f.namespace, Name: name}
	f.must(supervisor.admin.Delete(f.t.Context(), &vitistackv1alpha1.KubevirtConfig{ObjectMeta: meta}))
	f.must(supervisor.admin.Delete(f.t.Context(), &corev1.Secret{ObjectMeta: meta}))
	eventually.Eventually(f.t, 10*time.Second, "the KubevirtConfig is forgotten", func(context.Context) error {
		if _, found := f.State(name); found {
			return fmt.Errorf("%s is still known", name)
		}
		return nil
	})
}

// reaches waits until a cluster has a phase and a reason.
func (f *fixture) reaches(config string, phase clientmgr.Phase, reason string) clientmgr.State {
	f.t.Helper()
	var state clientmgr.State
	eventually.Eventually(f.t, 90*time.Second, "the cluster reaches its phase", func(context.Context) error {
		state, _ = f.State(config)
		if state.Phase != phase || state.Reason != reason {
			return fmt.Errorf("%s: want %s/%s, is %s/%s: %s", config, phase, reason, state.Phase, state.Reason, state.Message)
		}
		return nil
	})
	return state
}

// connects waits until a cluster is Connected.
func (f *fixture) connects(config string) clientmgr.State {
	f.t.Helper()
	return f.reaches(config, clientmgr.Connected, clientmgr.ReasonConnected)
}

func (f *fixture) configMap(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, Name: name,
		Labels: map[string]string{"test": f.label}}}
}

func (f *fixture) key(name string) client.ObjectKey {
	return client.ObjectKey{Namespace: f.namespace, Name: name}
}

// client returns the client of a connected cluster.
func (f *fixture) client(config string) client.Client {
	f.t.Helper()
	c, err := f.GetClientForConfig(f.t.Context(), config)
	f.must(err)
	return c
}

// sees waits until the cache of a cluster holds a ConfigMap.
func (f *fixture) sees(config, name string) {
	f.t.Helper()
	eventually.Eventually(f.t, 30*time.Second, "the cache holds the ConfigMap", func(context.Context) error {
		c, err := f.GetClientForConfig(f.t.Context(), config)
		if err != nil {
			return err
		}
		return c.Get(f.t.Context(), client.ObjectKey{Namespace: f.namespace, Name: name}, &corev1.ConfigMap{})
	})
}

package fleet

import (
	"context"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
	"go.uber.org/goleak"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// patience is for one thing that is waited for, on a loaded machine.
const patience = 30 * time.Second

// shared is the fleet of all tests of the package. A test that changes a cluster leaves it running,
// with no fault.
var shared *Fleet

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	os.Exit(run(m))
}

func run(m *testing.M) (code int) {
	before := goleak.IgnoreCurrent()
	started := time.Now()
	var err error
	shared, err = Start(context.Background(),
		Options{Remotes: 2, KubeVirt: kubevirt.Light, Audit: true, Progress: os.Stderr})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Fprintln(os.Stderr, "a supervisor and two light remotes were up after",
		time.Since(started).Round(time.Millisecond))
	code = m.Run()
	if err := shared.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stopping the fleet:", err)
		return 1
	}
	if _, err := os.Stat(shared.Dir()); !os.IsNotExist(err) {
		fmt.Fprintln(os.Stderr, "the fleet's folder is still there:", err)
		return 1
	}
	spawner := goleak.IgnoreAnyFunction("github.com/vitistack/kubevirt-multicluster/testkit/internal/process.Spawner")
	// controller-runtime's caches filter their watches by it: it stays when an event is on its way
	// while the watch is stopped.
	filter := goleak.IgnoreAnyFunction("k8s.io/apimachinery/pkg/watch.(*filteredWatch).loop")
	if err := goleak.Find(before, spawner, filter); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// operator returns what the operator comes to a cluster with: the kubeconfig that is published at
// this moment.
func operator(t *testing.T, c *Cluster) *rest.Config {
	t.Helper()
	config, err := clientcmd.RESTConfigFromKubeConfig(published(t, c))
	if err != nil {
		t.Fatal(err)
	}
	config.Timeout = 10 * time.Second
	return config
}

func published(t *testing.T, c *Cluster) []byte {
	t.Helper()
	if c.isSupervisor() {
		content, err := os.ReadFile(shared.OperatorKubeconfig())
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	secret := &corev1.Secret{}
	key := client.ObjectKey{Namespace: ConfigsNamespace, Name: SecretName(c.Name)}
	if err := shared.Supervisor.Client().Get(t.Context(), key, secret); err != nil {
		t.Fatal(err)
	}
	return secret.Data["kubeconfig"]
}

func newClient(t *testing.T, config *rest.Config) client.Client {
	t.Helper()
	scheme, err := scheme()
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// identify asks for the one thing that the operator may read in every cluster: the namespace whose
// UID is the cluster's identity. It does so over a connection of its own.
func identify(ctx context.Context, config *rest.Config) error {
	config = rest.CopyConfig(config)
	config.Dial = (&net.Dialer{}).DialContext // client-go shares transports, but none with a dialer
	client, err := rest.UnversionedRESTClientFor(withoutGroup(config))
	if err != nil {
		return err
	}
	return client.Get().AbsPath("/api/v1/namespaces/kube-system").Do(ctx).Error()
}

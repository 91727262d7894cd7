package integration

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/api/crds"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

// plane is one real cluster that the tests share, and its administrator.
type plane struct {
	*controlplane.Cluster
	admin client.Client
	http  *http.Client // the administrator's
	mine  sync.Mutex
}

// alone gives a test a cluster to kill, restore or rotate: others that want it wait.
func (p *plane) alone(t testing.TB) {
	p.mine.Lock()
	t.Cleanup(p.mine.Unlock)
}

// uid is the cluster's identity.
func (p *plane) uid(t testing.TB) string {
	t.Helper()
	var kubeSystem corev1.Namespace
	if err := p.admin.Get(t.Context(), client.ObjectKey{Name: metav1.NamespaceSystem}, &kubeSystem); err != nil {
		t.Fatal(err)
	}
	return string(kubeSystem.UID)
}

// The clusters of a run, started once. Tests run beside each other: they break east and west
// through proxies of their own, and north itself while they have it alone.
var supervisor, east, west, north *plane

// besides is how many tests run at once. They wait most of the time.
const besides = 12

var scheme = newScheme()

func newScheme() *runtime.Scheme {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, vitistackv1alpha1.AddToScheme, apiextensionsv1.AddToScheme,
	} {
		if err := add(s); err != nil {
			panic(err)
		}
	}
	return s
}

func TestMain(m *testing.M) {
	flag.Parse()
	_ = flag.Set("test.parallel", strconv.Itoa(besides)) // the flag is there: this is a test
	log.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	os.Exit(run(m))
}

func run(m *testing.M) (code int) {
	dir, err := os.MkdirTemp("", "clientmgr-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(dir) }()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	names := []string{"supervisor", "east", "west", "north"}
	planes := make([]*plane, len(names))
	failures := make([]error, len(names))
	var starts sync.WaitGroup
	for i, name := range names {
		starts.Go(func() {
			planes[i], failures[i] = startPlane(ctx, name, filepath.Join(dir, name+".audit"))
		})
	}
	starts.Wait()
	defer func() {
		for _, p := range planes {
			if p == nil {
				continue
			}
			if err := p.Stop(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}
	}()
	if err := errors.Join(failures...); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	supervisor, east, west, north = planes[0], planes[1], planes[2], planes[3]
	if err := define(ctx, supervisor.admin, "kubevirtconfigs.vitistack.io"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func startPlane(ctx context.Context, name, audit string) (*plane, error) {
	cluster, err := controlplane.Start(ctx, controlplane.Options{Name: name, AuditLog: audit})
	if err != nil {
		return nil, err
	}
	p := &plane{Cluster: cluster}
	if p.http, err = rest.HTTPClientFor(cluster.Config()); err != nil {
		return p, err
	}
	p.admin, err = client.New(cluster.Config(), client.Options{Scheme: scheme, HTTPClient: p.http})
	return p, err
}

// define creates a definition and waits until it is served.
func define(ctx context.Context, c client.Client, name string) error {
	var definition apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(crds.YAML()[name], &definition); err != nil {
		return err
	}
	if err := c.Create(ctx, &definition); err != nil {
		return err
	}
	return poll(ctx, func() error {
		if err := c.Get(ctx, client.ObjectKeyFromObject(&definition), &definition); err != nil {
			return err
		}
		for _, condition := range definition.Status.Conditions {
			if condition.Type == apiextensionsv1.Established && condition.Status == apiextensionsv1.ConditionTrue {
				return nil
			}
		}
		return errors.New("not established")
	})
}

// poll asks until there is no error or ctx ends, and returns the last one then.
func poll(ctx context.Context, ask func() error) error {
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		err := ask()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ctx.Err(), err)
		case <-ticker.C:
		}
	}
}

// behind puts a proxy in front of a cluster and returns the administrator's way through it.
func behind(t testing.TB, p *plane) (*rest.Config, *http.Client, *faults.Proxy) {
	t.Helper()
	proxy, err := faults.Start(faults.Options{Target: p.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := proxy.Close(); err != nil {
			t.Errorf("closing the proxy: %v", err)
		}
	})
	config := rest.CopyConfig(p.Config())
	config.Host = "https://" + proxy.Addr()
	through, err := rest.HTTPClientFor(config)
	if err != nil {
		t.Fatal(err)
	}
	return config, through, proxy
}

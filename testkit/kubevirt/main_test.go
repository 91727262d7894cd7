package kubevirt_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kubevirtv1 "kubevirt.io/api/core/v1"
	exportv1 "kubevirt.io/api/export/v1beta1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/go-logr/logr"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/exports"
)

// hosts are what DNS answers to all clusters of the tests.
var hosts = exports.NewNames()

// worlds are a cluster of each mode, which all tests share that do not end one.
var worlds map[kubevirt.Mode]*world

// world is a cluster with KubeVirt and a client for it.
type world struct {
	cluster *controlplane.Cluster
	stack   *kubevirt.Stack
	client  client.Client
}

func TestMain(m *testing.M) {
	ctrl.SetLogger(logr.Discard())
	os.Exit(run(m))
}

func run(m *testing.M) int {
	started := time.Now()
	group, ctx := errgroup.WithContext(context.Background())
	real, light := &world{}, &world{}
	defer real.stop()
	defer light.stop()
	group.Go(func() error { return real.start(ctx, kubevirt.Options{Mode: kubevirt.Real}) })
	group.Go(func() error { return light.start(ctx, kubevirt.Options{Mode: kubevirt.Light}) })
	if err := group.Wait(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println("a real and a light cluster were up after", time.Since(started).Round(time.Millisecond))
	worlds = map[kubevirt.Mode]*world{kubevirt.Real: real, kubevirt.Light: light}
	return m.Run()
}

func (w *world) start(ctx context.Context, options kubevirt.Options) error {
	return w.startOn(ctx, controlplane.Options{Name: "cluster-" + options.Mode.String()}, options)
}

func (w *world) startOn(ctx context.Context, on controlplane.Options, options kubevirt.Options) (err error) {
	if w.cluster, err = controlplane.Start(ctx, on); err != nil {
		return err
	}
	options.Names = hosts
	if w.stack, err = kubevirt.Start(ctx, w.cluster, options); err != nil {
		return err
	}
	w.client, err = newClient(w.cluster)
	return err
}

func (w *world) stop() {
	if w.stack != nil {
		_ = w.stack.Stop()
	}
	if w.cluster != nil {
		_ = w.cluster.Stop()
	}
}

func newClient(cluster *controlplane.Cluster) (client.Client, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, storagev1.AddToScheme, kubevirtv1.AddToScheme, cdiv1.AddToScheme, exportv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	return client.New(cluster.Config(), client.Options{Scheme: scheme})
}

// inBothModes runs a test on a cluster of each mode, in a namespace of its own.
func inBothModes(t *testing.T, test func(t *testing.T, w *world, namespace string)) {
	for mode, w := range worlds {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			test(t, w, w.namespace(t))
		})
	}
}

// namespace makes one that is deleted when the test ends.
func (w *world) namespace(t *testing.T) string {
	t.Helper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	if err := w.client.Create(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.client.Delete(context.Background(), namespace); err != nil {
			t.Error(err)
		}
	})
	return namespace.Name
}

// patience is for one thing that is waited for, on a loaded machine.
const patience = 3 * time.Minute

func (w *world) create(t *testing.T, objects ...client.Object) {
	t.Helper()
	for _, object := range objects {
		if err := w.client.Create(t.Context(), object); err != nil {
			t.Fatalf("creating %T %s: %v", object, object.GetName(), err)
		}
	}
}

package clusterstatus

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlconfig "sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/vitistack/kubevirt-multicluster/api/crds"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// TestController runs the controller on a real API server, with a definition of KubevirtConfig that
// knows more than our types do.
func TestController(t *testing.T) {
	for name, c := range map[string]struct{ reason, scope, namespace string }{
		"namespaced":     {reason: "as this project defines it", scope: "Namespaced", namespace: "default"},
		"cluster-scoped": {reason: "as the public definition is today", scope: "Cluster"},
	} {
		t.Run(name, func(t *testing.T) {
			w := startController(t, c.scope)
			config := &vitistackv1alpha1.KubevirtConfig{}
			config.Name, config.Namespace, config.Spec.KubeconfigSecretRef = "east", c.namespace, "east-kubeconfig"
			w.create(config)
			foreign := client.RawPatch(client.Merge.Type(), []byte(`{"status":{"capacity":"64 cores"}}`))
			if err := w.Status().Patch(t.Context(), config, foreign); err != nil {
				t.Fatal(err)
			}
			w.reaches("a new KubevirtConfig wakes", config, "Pending", "")

			w.remotes.SetState(well())
			w.reaches("a State wakes", config, "Ready", "")
			one := placedIn("east", "one")
			one.Namespace = "default"
			w.create(one)
			w.reaches("a Machine wakes", config, "Ready", vitistackv1alpha1.FinalizerKubevirtConfig)
			w.remotes.SetState(away(0))
			w.reaches("a State wakes", config, "Degraded", vitistackv1alpha1.FinalizerKubevirtConfig)
			w.wantForeign(c.reason, config)

			if err := w.Delete(t.Context(), config); err != nil {
				t.Fatal(err)
			}
			w.until("a deletion wakes", func(ctx context.Context) bool {
				return w.Get(ctx, client.ObjectKeyFromObject(config), config) == nil &&
					config.Status.Message == "being deleted; waits for 1 Machine placed here: default/one"
			})
			if err := w.Delete(t.Context(), one); err != nil {
				t.Fatal(err)
			}
			w.until("the last Machine's end wakes", func(ctx context.Context) bool {
				return w.Get(ctx, client.ObjectKeyFromObject(config), config) != nil
			})
		})
	}
}

// controlled is a supervisor in which the controller runs.
type controlled struct {
	client.Client
	t       *testing.T
	remotes *clientmgr.MockClientManager
}

func startController(t *testing.T, scope string) *controlled {
	t.Helper()
	supervisor := controlplane.New(t, controlplane.Options{Name: "supervisor"})
	dir := t.TempDir()
	for name, content := range crds.YAML() {
		if name == "kubevirtconfigs.vitistack.io" {
			content = bytes.Replace(content, []byte("scope: Namespaced"), []byte("scope: "+scope), 1)
			content = bytes.Replace(content, []byte("              clusterUID:\n"),
				[]byte("              capacity:\n                type: string\n              clusterUID:\n"), 1)
		}
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := envtest.InstallCRDs(supervisor.Config(),
		envtest.CRDInstallOptions{Paths: []string{dir}, ErrorIfPathMissing: true}); err != nil {
		t.Fatal(err)
	}
	twice := true // both subtests have a controller of this name
	mgr, err := ctrl.NewManager(supervisor.Config(), ctrl.Options{
		Scheme: schemeOf(t), Metrics: metricsserver.Options{BindAddress: "0"},
		Controller: ctrlconfig.Controller{SkipNameValidation: &twice},
	})
	if err != nil {
		t.Fatal(err)
	}
	w := &controlled{t: t, remotes: clientmgr.NewMockClientManager()}
	w.remotes.LiveFunc = func(string) (client.Reader, error) { return &reader{}, nil }
	if w.Client, err = client.New(supervisor.Config(), client.Options{Scheme: mgr.GetScheme()}); err != nil {
		t.Fatal(err)
	}
	if err := mgr.GetFieldIndexer().IndexField(t.Context(), &vitistackv1alpha1.Machine{}, clientmgr.IndexConfig,
		clientmgr.ByConfig); err != nil {
		t.Fatal(err)
	}
	reconciler := NewReconciler(mgr.GetClient(), w.remotes, Options{
		ConfigsNamespace: "default", Live: mgr.GetAPIReader(), Registerer: prometheus.NewRegistry(),
	})
	if err := reconciler.SetupWithManager(mgr); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the manager ended with %v", err)
		}
	})
	return w
}

func (w *controlled) create(object client.Object) {
	w.t.Helper()
	if err := w.Create(w.t.Context(), object); err != nil {
		w.t.Fatal(err)
	}
}

func (w *controlled) until(what string, done func(context.Context) bool) {
	w.t.Helper()
	eventually.Eventually(w.t, 30*time.Second, what, func(ctx context.Context) error {
		if !done(ctx) {
			return errors.New("it did not")
		}
		return nil
	})
}

// reaches waits until the KubevirtConfig has a phase, and just this finalizer.
func (w *controlled) reaches(
	what string, config *vitistackv1alpha1.KubevirtConfig, phase vitistackv1alpha1.KubevirtConfigPhase, finalizer string,
) {
	w.t.Helper()
	w.until(what, func(ctx context.Context) bool {
		if err := w.Get(ctx, client.ObjectKeyFromObject(config), config); err != nil {
			return false
		}
		finalizers := append(config.Finalizers, "")
		return config.Status.Phase == phase && finalizers[0] == finalizer
	})
}

// wantForeign looks for what somebody else has put into the status.
func (w *controlled) wantForeign(reason string, config client.Object) {
	w.t.Helper()
	whole := &unstructured.Unstructured{}
	whole.SetGroupVersionKind(vitistackv1alpha1.SchemeGroupVersion.WithKind("KubevirtConfig"))
	if err := w.Get(w.t.Context(), client.ObjectKeyFromObject(config), whole); err != nil {
		w.t.Fatal(err)
	}
	got, _, _ := unstructured.NestedString(whole.Object, "status", "capacity")
	if diff := cmp.Diff("64 cores", got); diff != "" {
		w.t.Errorf("%s: -want +got:\n%s", reason, diff)
	}
}

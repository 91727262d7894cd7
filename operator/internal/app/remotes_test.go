package app

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/api/crds"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
)

// TestScopeOfConfigs follows KubevirtConfigs of either scope with the caches that the operator sets
// up. The remote cluster is the supervisor itself, which is one as well as any.
func TestScopeOfConfigs(t *testing.T) {
	cases := map[string]struct {
		reason                  string
		scope, namespace, where string // of the definition, of the KubevirtConfig, of the Secret
		names                   string // secretNamespace
	}{
		"namespaced": {
			reason: "as this project defines it",
			scope:  "Namespaced", namespace: "configs", where: "configs",
		},
		"cluster-scoped": {
			reason: "as the public definition is today",
			scope:  "Cluster", where: "configs", names: "configs",
		},
		"cluster-scoped, elsewhere": {
			reason: "each names the namespace of its Secret",
			scope:  "Cluster", where: "default", names: "default",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cluster := controlplane.New(t, controlplane.Options{Name: "supervisor"})
			manager, c := startRemotes(t, cluster.Config(), tc.scope)
			kubeconfig, err := cluster.KubeconfigFor(controlplane.Admin)
			must(t, err)
			must(t, c.Create(t.Context(), &corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{Namespace: tc.where, Name: "east-kubeconfig"},
				Data:       map[string][]byte{"kubeconfig": kubeconfig},
			}))
			config := &vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Namespace: tc.namespace, Name: "east"}}
			config.Spec = vitistackv1alpha1.KubevirtConfigSpec{
				Name: "east", KubeconfigSecretRef: "east-kubeconfig", SecretNamespace: tc.names,
			}
			must(t, c.Create(t.Context(), config))

			// There is no KubeVirt: getting as far as to miss it takes the KubevirtConfig, the
			// Secret and the cluster.
			err = wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, 90*time.Second, true,
				func(ctx context.Context) (bool, error) {
					_, err := manager.GetClientForConfig(ctx, "east")
					return errors.Is(err, clientmgr.ErrKindNotServed), nil
				})
			if state, _ := manager.State("east"); err != nil {
				t.Fatalf("%s: want ErrKindNotServed, is %+v", tc.reason, state)
			}
			configs, err := manager.ListKubevirtConfigs(t.Context())
			if err != nil || len(configs) != 1 {
				t.Errorf("%s: want the one KubevirtConfig, got %v, %v", tc.reason, configs, err)
			}
		})
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func decodeDefinitions(contents map[string][]byte) ([]*apiextensionsv1.CustomResourceDefinition, error) {
	var definitions []*apiextensionsv1.CustomResourceDefinition
	for _, content := range contents {
		definition := &apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.Unmarshal(content, definition); err != nil {
			return nil, err
		}
		definitions = append(definitions, definition)
	}
	return definitions, nil
}

// startRemotes installs our definitions with a scope of KubevirtConfig, and starts the operator's
// client manager in the operator's manager.
func startRemotes(t testing.TB, config *rest.Config, scope string) (*clientmgr.KubevirtClientManager, client.Client) {
	t.Helper()
	content := crds.YAML()
	const configs = "kubevirtconfigs.vitistack.io"
	content[configs] = bytes.Replace(content[configs], []byte("scope: Namespaced"), []byte("scope: "+scope), 1)
	definitions, err := decodeDefinitions(content)
	must(t, err)
	_, err = envtest.InstallCRDs(config, envtest.CRDInstallOptions{CRDs: definitions})
	must(t, err)
	options := Options{MetricsAddress: "0", ProbeAddress: "0", WatchSelector: labels.Everything()}
	options.Machine.ConfigsNamespace = "configs"
	options.ClusterCacheMiB = 512 // for ten thousand pairs in one cluster
	mgr, err := NewManager(rest.CopyConfig(config), options, cache.New)
	must(t, err)
	c, err := client.New(config, client.Options{Scheme: mgr.GetScheme()})
	must(t, err)
	must(t, c.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "configs"}}))
	settings := RemoteOptions(options, "supervisor", mgr.GetAPIReader())
	settings.Registerer = prometheus.NewRegistry()
	remotes, err := clientmgr.NewKubevirtClientManager(mgr.GetClient(), mgr.GetCache(), settings)
	must(t, err)
	must(t, mgr.Add(remotes))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		must(t, <-ended)
	})
	return remotes, c
}

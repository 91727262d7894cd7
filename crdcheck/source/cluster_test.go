package source_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	clientset "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/observe"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/source"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
)

var names = []string{
	"datavolumes.cdi.kubevirt.io",
	"virtualmachineinstances.kubevirt.io",
	"virtualmachines.kubevirt.io",
}

// kubeVirt returns the definitions of KubeVirt 1.8.4 and CDI that `make tools` writes.
func kubeVirt(t testing.TB) []apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	cache, err := controlplane.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(cache, "kubevirt-v1.8.4", "crds.yaml"))
	if err != nil {
		t.Fatalf("%v: run `make tools`", err)
	}
	all, err := crdcheck.Load(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// counter counts the requests of a client.
type counter struct {
	http.RoundTripper
	requests atomic.Int32
}

func (c *counter) RoundTrip(request *http.Request) (*http.Response, error) {
	c.requests.Add(1)
	return c.RoundTripper.RoundTrip(request)
}

// counted returns a client configuration whose requests are counted.
func counted(config *rest.Config) (*rest.Config, *counter) {
	c := &counter{}
	config = rest.CopyConfig(config)
	config.Wrap(func(inner http.RoundTripper) http.RoundTripper {
		c.RoundTripper = inner
		return c
	})
	return config, c
}

// TestFleetOfClusters reads a real API server with all of KubeVirt's definitions as eight clusters,
// from nothing and again and again.
func TestFleetOfClusters(t *testing.T) {
	plane := controlplane.New(t, controlplane.Options{Name: "definitions"})
	config, err := plane.ConfigFor(controlplane.Admin)
	if err != nil {
		t.Fatal(err)
	}
	install(t, config)
	t.Run("Eight", func(t *testing.T) { eightClusters(t, config) })
	t.Run("Sets", func(t *testing.T) { sets(t, config) })
	t.Run("KubevirtConfigs", func(t *testing.T) { kubevirtConfigs(t, plane, config) })
}

// unfinished reports whether the API server will still write to a definition. It sets both
// conditions when it accepts the names, and writes again when it serves them: a definition that is
// taken for finished in between changes under who observes it.
func unfinished(crd apiextensionsv1.CustomResourceDefinition) bool {
	return !slices.ContainsFunc(
		crd.Status.Conditions,
		func(c apiextensionsv1.CustomResourceDefinitionCondition) bool {
			return c.Type == apiextensionsv1.Established && c.Status == apiextensionsv1.ConditionTrue
		},
	)
}

func install(t *testing.T, config *rest.Config) {
	t.Helper()
	config = rest.CopyConfig(config)
	config.QPS = -1
	client := clientset.NewForConfigOrDie(config).ApiextensionsV1().CustomResourceDefinitions()
	definitions := kubeVirt(t)
	for _, crd := range definitions {
		if _, err := client.Create(t.Context(), &crd, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	err := wait.PollUntilContextTimeout(
		t.Context(), 50*time.Millisecond, 2*time.Minute, true,
		func(ctx context.Context) (bool, error) {
			// The API server's own cache answers, as it does to observers.
			list, err := client.List(ctx, metav1.ListOptions{ResourceVersion: "0"})
			if err != nil {
				return false, err
			}
			return len(list.Items) == len(definitions) && !slices.ContainsFunc(list.Items, unfinished), nil
		},
	)
	if err != nil {
		t.Fatal(err)
	}
}

func eightClusters(t *testing.T, config *rest.Config) {
	const clusters = 8
	var (
		cache     crdcheck.Cache
		observers [clusters]*observe.Observer
		readers   [clusters]*source.Cluster
		counters  [clusters]*counter
		snapshots = make([]crdcheck.Snapshot, clusters)
	)
	for i := range clusters {
		own, c := counted(config)
		reader, err := source.NewCluster(own)
		if err != nil {
			t.Fatal(err)
		}
		observers[i], readers[i], counters[i] = observe.New(fmt.Sprintf("east-%d", i), &cache), reader, c
	}
	round := func() time.Duration {
		began := time.Now()
		var reads sync.WaitGroup
		for i := range clusters {
			reads.Go(func() { snapshots[i] = observers[i].Observe(t.Context(), readers[i], names) })
		}
		reads.Wait()
		return time.Since(began)
	}
	cold := round()
	if report := crdcheck.Fleet(snapshots, names); !report.OK() {
		t.Fatalf("one cluster differs from itself: %+v", report.Findings)
	}
	for i, c := range counters {
		if n := c.requests.Swap(0); n != 4 {
			t.Errorf("cluster %d was asked %d times from nothing, want once and once for each definition", i, n)
		}
	}
	if n := cache.Compiled(); n != len(names) {
		t.Errorf("%d definitions were compiled %d times", len(names), n)
	}
	const rounds = 10
	before := cpu()
	var warm time.Duration
	for range rounds {
		warm += round()
	}
	spent := (cpu() - before) / (rounds * clusters)
	for i, c := range counters {
		if n := c.requests.Load(); n != rounds {
			t.Errorf("cluster %d was asked %d times in %d rounds in which nothing changed", i, n, rounds)
		}
	}
	t.Logf("cold: %v for %d clusters; warm: %v a round, %v CPU a cluster", cold, clusters, warm/rounds, spent)
	if report := crdcheck.Fleet(snapshots, names); !report.OK() || cache.Compiled() != len(names) {
		t.Errorf("what did not change was compiled again (%d), or differs: %+v", cache.Compiled(), report.Findings)
	}
}

// cpu is the time that this process has computed so far.
func cpu() time.Duration {
	var usage syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &usage) // it knows this process
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

func sets(t *testing.T, config *rest.Config) {
	cluster, err := source.NewCluster(config)
	if err != nil {
		t.Fatal(err)
	}
	some := cluster.Set(t.Context(), "east", append(slices.Clone(names), "absent.example.com"))
	var got []string
	for _, crd := range some.CRDs {
		got = append(got, crd.Name)
	}
	if diff := cmp.Diff(names, got); diff != "" || some.Unknown != "" {
		t.Errorf("%q: -want +got:\n%s", some.Unknown, diff)
	}
	if all := cluster.Set(t.Context(), "east", nil); len(all.CRDs) != len(kubeVirt(t)) {
		t.Errorf("%d definitions of %d", len(all.CRDs), len(kubeVirt(t)))
	}
	nobody := rest.CopyConfig(config)
	nobody.CertData, nobody.KeyData, nobody.CertFile, nobody.KeyFile = nil, nil, "", ""
	nobody.BearerToken = "nonsense"
	refused, err := source.NewCluster(nobody)
	if err != nil {
		t.Fatal(err)
	}
	for _, wanted := range [][]string{nil, names} {
		if s := refused.Set(t.Context(), "east", wanted); s.Unknown == "" || len(s.CRDs) > 0 {
			t.Errorf("a cluster that refuses is known: %+v", s)
		}
	}
	snapshot := observe.New("east", &crdcheck.Cache{}).Observe(t.Context(), refused, names)
	if crdcheck.Fleet([]crdcheck.Snapshot{snapshot}, names).OK() {
		t.Error("a cluster that refuses agrees")
	}
}

// kubevirtConfigs reads a fleet as the operator's supervisor names it: this cluster, one whose
// kubeconfig would run a program, and one without a Secret.
func kubevirtConfigs(t *testing.T, plane *controlplane.Cluster, config *rest.Config) {
	definitions := clientset.NewForConfigOrDie(config).ApiextensionsV1().CustomResourceDefinitions()
	content, err := os.ReadFile("../../api/crds/vitistack.io_kubevirtconfigs.yaml")
	if err != nil {
		t.Fatal(err)
	}
	crds, err := crdcheck.Load(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := definitions.Create(t.Context(), &crds[0], metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	kubeconfig, err := plane.KubeconfigFor(controlplane.Admin)
	if err != nil {
		t.Fatal(err)
	}
	supervisor := dynamic.NewForConfigOrDie(config)
	evil := strings.Replace(
		string(kubeconfig), "users:", "users:\n- {name: admin, user: {exec: {command: steal}}}\nunused:", 1,
	)
	for name, secret := range map[string]string{"good": string(kubeconfig), "evil": evil, "bare": ""} {
		create(t, supervisor, name, secret)
	}
	file := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := source.Read(t.Context(), "configs:default", source.Options{Kubeconfig: file, Names: names})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range found {
		got = append(got, fmt.Sprintf("%s: %d definitions, known %t", s.Name, len(s.CRDs), s.Unknown == ""))
		if strings.Contains(s.Unknown, "steal") {
			t.Errorf("a value of a Secret is told: %s", s.Unknown)
		}
	}
	want := []string{
		"bare: 0 definitions, known false",
		"evil: 0 definitions, known false",
		"good: 3 definitions, known true",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s%+v", diff, found)
	}
}

func create(t *testing.T, supervisor dynamic.Interface, name, kubeconfig string) {
	t.Helper()
	configs := runtimeschema.GroupVersionResource{Group: "vitistack.io", Version: "v1alpha1", Resource: "kubevirtconfigs"}
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "vitistack.io/v1alpha1", "kind": "KubevirtConfig", "metadata": map[string]any{"name": name},
		"spec": map[string]any{"name": name, "kubeconfigSecretRef": name},
	}}
	err := wait.PollUntilContextTimeout(
		t.Context(),
		50*time.Millisecond,
		time.Minute,
		true,
		func(ctx context.Context) (bool, error) {
			_, err := supervisor.Resource(configs).Namespace("default").Create(ctx, object, metav1.CreateOptions{})
			return err == nil, nil // until the definition is served
		},
	)
	if err != nil {
		t.Fatal(err)
	}
	if kubeconfig == "" {
		return
	}
	secret := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Secret", "metadata": map[string]any{"name": name},
		"data": map[string]any{"kubeconfig": base64.StdEncoding.EncodeToString([]byte(kubeconfig))},
	}}
	resource := runtimeschema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	secrets := supervisor.Resource(resource).Namespace("default")
	if _, err := secrets.Create(t.Context(), secret, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
}

package startup_test

import (
	"context"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/vitistack/kubevirt-multicluster/api/crds"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/compatibility"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/startup"
	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

var update = flag.Bool("update", false, "write the golden files")

// cluster returns a cluster with these objects, whose calls may fail.
func cluster(t *testing.T, faults interceptor.Funcs, objects ...client.Object) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{startup.AddToScheme, kubevirtv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithInterceptorFuncs(faults).Build()
}

// definitions returns the CRDs of a YAML stream after replacements in it, given as old, new, old,
// new.
func definitions(t *testing.T, stream string, replacements ...string) []client.Object {
	t.Helper()
	for i := 0; i+1 < len(replacements); i += 2 {
		if !strings.Contains(stream, replacements[i]) {
			t.Fatalf("%q is not in the stream", replacements[i])
		}
		stream = strings.Replace(stream, replacements[i], replacements[i+1], 1)
	}
	loaded, err := crdcheck.Load(strings.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	objects := make([]client.Object, 0, len(loaded))
	for i := range loaded {
		objects = append(objects, &loaded[i])
	}
	return objects
}

// ours returns the CRDs that this project generates.
func ours(t *testing.T) []client.Object {
	t.Helper()
	var stream strings.Builder
	for _, content := range crds.YAML() {
		stream.WriteString("---\n")
		stream.Write(content)
	}
	return definitions(t, stream.String())
}

// kubeVirtCRDs returns the CRDs of a remote cluster: they have what the operator uses and nothing
// else. change gets each.
func kubeVirtCRDs(t *testing.T, change ...func(crd *apiextensionsv1.CustomResourceDefinition)) []client.Object {
	t.Helper()
	usage, err := compatibility.Usage()
	if err != nil {
		t.Fatal(err)
	}
	var objects []client.Object
	for _, kind := range usage.Kinds {
		root := &apiextensionsv1.JSONSchemaProps{Type: "object"}
		for _, path := range slices.Concat(kind.Reads, kind.Writes) {
			grow(root, strings.Split(path, "."))
		}
		plural, group, _ := strings.Cut(kind.CRD, ".")
		crd := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: kind.CRD}}
		crd.Spec.Group, crd.Spec.Scope = group, apiextensionsv1.NamespaceScoped
		crd.Spec.Names = apiextensionsv1.CustomResourceDefinitionNames{Plural: plural, Kind: plural}
		crd.Spec.Versions = []apiextensionsv1.CustomResourceDefinitionVersion{{
			Name: kind.Version, Served: true, Storage: true,
			Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: root},
		}}
		crd.Status.StoredVersions = []string{kind.Version}
		for _, each := range change {
			each(crd)
		}
		objects = append(objects, crd)
	}
	return append(
		objects, &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: "kubevirts.kubevirt.io"}})
}

// grow adds a field to a schema, by the steps of its path; a step that ends in [] is a list, one
// that ends in {} a map.
func grow(schema *apiextensionsv1.JSONSchemaProps, steps []string) {
	if len(steps) == 0 {
		return
	}
	name := strings.TrimSuffix(strings.TrimSuffix(steps[0], "[]"), "{}")
	field, found := schema.Properties[name]
	if !found {
		field = apiextensionsv1.JSONSchemaProps{Type: "object"}
		if len(steps) == 1 {
			field.Type = "string"
		}
	}
	inner := &field
	switch {
	case strings.HasSuffix(steps[0], "[]"):
		field.Type = "array"
		if field.Items == nil {
			field.Items = &apiextensionsv1.JSONSchemaPropsOrArray{Schema: &apiextensionsv1.JSONSchemaProps{Type: "object"}}
		}
		inner = field.Items.Schema
	case strings.HasSuffix(steps[0], "{}"):
		field.Type = "object"
		if field.AdditionalProperties == nil {
			field.AdditionalProperties = &apiextensionsv1.JSONSchemaPropsOrBool{
				Schema: &apiextensionsv1.JSONSchemaProps{Type: "object"},
			}
		}
		inner = field.AdditionalProperties.Schema
	case len(steps) > 1:
		field.Type = "object"
	}
	grow(inner, steps[1:])
	if schema.Properties == nil {
		schema.Properties = map[string]apiextensionsv1.JSONSchemaProps{}
	}
	schema.Properties[name] = field
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// deployed is a KubeVirt that runs.
func deployed() *kubevirtv1.KubeVirt {
	return &kubevirtv1.KubeVirt{
		ObjectMeta: metav1.ObjectMeta{Namespace: "kubevirt", Name: "kubevirt"},
		Status:     kubevirtv1.KubeVirtStatus{Phase: kubevirtv1.KubeVirtPhaseDeployed, ObservedKubeVirtVersion: "v1.8.2"},
	}
}

// healthy is a remote cluster that is as it should be.
func healthy(t *testing.T, change ...func(crd *apiextensionsv1.CustomResourceDefinition)) client.Client {
	t.Helper()
	return cluster(t, interceptor.Funcs{}, append(kubeVirtCRDs(t, change...), deployed())...)
}

// managing returns a client manager of these clusters by config name; those of nil are configured
// and not connected.
func managing(remotes map[string]client.Client) *clientmgr.MockClientManager {
	mock := clientmgr.NewMockClientManager()
	for name, remote := range remotes {
		mock.AddMockedConfig(&vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Name: name}})
		if remote != nil {
			mock.AddMockedClient(name, remote)
		}
	}
	mock.LiveFunc = func(config string) (client.Reader, error) { return mock.MockedClients[config], nil }
	return mock
}

// start is a start of the operator: the check of the supervisor, and the observer of the clusters
// that mock plays.
type start struct {
	t          *testing.T
	mock       *clientmgr.MockClientManager
	configs    client.Client
	lines      *startup.Lines
	journal    *journal
	schemas    *compatibility.Checker
	reconciler *clusterstatus.Reconciler
}

func starting(t *testing.T, supervisor client.Reader, mock *clientmgr.MockClientManager) *start {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{vitistackv1alpha1.AddToScheme, corev1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	schemas, err := compatibility.New()
	if err != nil {
		t.Fatal(err)
	}
	s := &start{t: t, mock: mock, journal: newJournal()}
	builder := fake.NewClientBuilder().WithScheme(scheme).WithStatusSubresource(&vitistackv1alpha1.KubevirtConfig{}).
		WithIndex(&vitistackv1alpha1.Machine{}, clientmgr.IndexConfig, clientmgr.ByConfig)
	for _, config := range mock.MockedConfigs {
		config.UID = types.UID("uid-of-" + config.Name)
		builder = builder.WithObjects(config.DeepCopy())
	}
	s.schemas = schemas
	s.lines = startup.New(supervisor, startup.Options{Logger: s.journal.logger()})
	s.observe(builder.Build())
	return s
}

// observe lets the observer see the KubevirtConfigs of a supervisor.
func (s *start) observe(supervisor client.Client) {
	s.configs = supervisor
	s.reconciler = clusterstatus.NewReconciler(supervisor, s.mock, clusterstatus.Options{
		Schemas: s.schemas, StartUp: s.lines, Registerer: prometheus.NewRegistry(),
	})
}

// run checks the supervisor and reconciles every KubevirtConfig, side by side as the controller
// does.
func (s *start) run() {
	s.t.Helper()
	var parts sync.WaitGroup
	parts.Go(func() {
		if err := s.lines.Start(s.t.Context()); err != nil {
			s.t.Error(err)
		}
	})
	if len(s.mock.MockedConfigs) == 0 {
		s.lines.Configs(s.t.Context(), 0) // as the manager's runnable says it
	}
	for _, name := range slices.Sorted(maps.Keys(s.mock.MockedConfigs)) {
		parts.Go(func() { s.reconcile(name) })
	}
	parts.Wait()
}

// reconcile lets the observer look at one cluster.
func (s *start) reconcile(name string) {
	s.t.Helper()
	request := ctrl.Request{NamespacedName: types.NamespacedName{Name: name}}
	if _, err := s.reconciler.Reconcile(s.t.Context(), request); err != nil {
		s.t.Errorf("%s: %v", name, err)
	}
}

// journal keeps log lines and when they came.
type journal struct {
	mu    sync.Mutex
	lines []entry
	start time.Time
}

type entry struct {
	after time.Duration
	text  string
}

func newJournal() *journal { return &journal{start: time.Now()} }

func (j *journal) logger() logr.Logger {
	return funcr.New(func(_, args string) {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.lines = append(j.lines, entry{time.Since(j.start), args})
	}, funcr.Options{})
}

// sorted returns the lines in an order that does not depend on who was first.
func (j *journal) sorted() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	var lines []string
	for _, e := range j.lines {
		lines = append(lines, e.text)
	}
	slices.Sort(lines)
	return lines
}

// about returns when the lines came that hold a text.
func (j *journal) about(text string) []time.Duration {
	j.mu.Lock()
	defer j.mu.Unlock()
	var when []time.Duration
	for _, e := range j.lines {
		if strings.Contains(e.text, text) {
			when = append(when, e.after)
		}
	}
	return when
}

// golden compares lines to a file.
func golden(t *testing.T, name string, lines []string) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	got := strings.Join(lines, "\n") + "\n"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(read(t, path)), got); diff != "" {
		t.Errorf("%s: -want +got:\n%s", path, diff)
	}
}

// hang waits for the end of a call's context, as a server that takes connections and never answers
// does.
func hang(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

// take returns the lines since the last call, sorted.
func (j *journal) take() []string {
	lines := j.sorted()
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = nil
	return lines
}

// verdicts are the metric's values of one check of one cluster.
func verdicts(t *testing.T, lines prometheus.Collector, config, check string) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(lines); err != nil {
		t.Fatal(err)
	}
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			labels := map[string]string{}
			for _, pair := range metric.GetLabel() {
				labels[pair.GetName()] = pair.GetValue()
			}
			if labels["kubevirt_config"] == config && labels["check"] == check {
				found[labels["verdict"]] = metric.GetGauge().GetValue()
			}
		}
	}
	return found
}

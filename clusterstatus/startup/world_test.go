package startup_test

import (
	"context"
	"flag"
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
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/vitistack/kubevirt-multicluster/api/crds"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/startup"
	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

var update = flag.Bool("update", false, "write the golden files")

// The managers that the operator may wire are what the checks ask for.
var (
	_ startup.Remotes = (*clientmgr.KubevirtClientManager)(nil)
	_ startup.Remotes = (*clientmgr.MockClientManager)(nil)
)

// cluster returns a cluster with these objects, whose calls may fail.
func cluster(t *testing.T, faults interceptor.Funcs, objects ...client.Object) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := startup.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).WithInterceptorFuncs(faults).Build()
}

// definitions returns the CRDs of a YAML stream after replacements in it, given as old, new, old, new.
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

// kubeVirtCRDs returns the CRDs of a remote cluster after replacements.
func kubeVirtCRDs(t *testing.T, replacements ...string) []client.Object {
	t.Helper()
	return definitions(t, string(read(t, "testdata/kubevirt-crds.yaml")), replacements...)
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
func healthy(t *testing.T, replacements ...string) client.Client {
	t.Helper()
	return cluster(t, interceptor.Funcs{}, append(kubeVirtCRDs(t, replacements...), deployed())...)
}

// managing returns a client manager of these clusters by config name; those of nil are configured and not connected.
func managing(remotes map[string]client.Client) *clientmgr.MockClientManager {
	mock := clientmgr.NewMockClientManager()
	for name, remote := range remotes {
		mock.AddMockedConfig(&vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Name: name}})
		if remote != nil {
			mock.AddMockedClient(name, remote)
		}
	}
	return mock
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

// hang waits for the end of a call's context, as a server that takes connections and never answers does.
func hang(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

package admit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	clientset "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/admit"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// kubeVirtVersion is the release whose definitions `make tools` writes.
const kubeVirtVersion = "v1.8.4"

// patience is for one thing that is waited for, on a loaded machine.
const patience = 2 * time.Minute

// askers is how many requests are under way at a time.
const askers = 8

// kubeVirt returns KubeVirt's and CDI's definitions of these names, which `make tools` writes.
func kubeVirt(t testing.TB, names ...string) []apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	cache, err := controlplane.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(cache, "kubevirt-"+kubeVirtVersion, "crds.yaml"))
	if err != nil {
		t.Fatalf("%v: run `make tools`", err)
	}
	all, err := crdcheck.Load(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	found := slices.DeleteFunc(
		all, func(crd apiextensionsv1.CustomResourceDefinition) bool { return !slices.Contains(names, crd.Name) },
	)
	if len(found) != len(names) {
		t.Fatalf("%d of %d definitions", len(found), len(names))
	}
	return found
}

func widgets(t testing.TB) apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	content, err := os.ReadFile("testdata/widgets.yaml")
	if err != nil {
		t.Fatal(err)
	}
	crds, err := crdcheck.Load(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return crds[0]
}

// server is a real API server with definitions.
type server struct {
	definitions clientset.Interface
	objects     dynamic.Interface
	warned      *warnings
}

// warnings are those of the answers since they were last taken.
type warnings struct {
	lock sync.Mutex
	all  []string
}

func (w *warnings) HandleWarningHeader(_ int, _, text string) {
	w.lock.Lock()
	defer w.lock.Unlock()
	w.all = append(w.all, text)
}

func (w *warnings) take() []string {
	w.lock.Lock()
	defer w.lock.Unlock()
	all := slices.Compact(slices.Sorted(slices.Values(w.all)))
	w.all = nil
	return all
}

func start(t *testing.T, crds ...apiextensionsv1.CustomResourceDefinition) server {
	t.Helper()
	cluster := controlplane.New(t, controlplane.Options{Name: "oracle"})
	config, err := cluster.ConfigFor(controlplane.Admin)
	if err != nil {
		t.Fatal(err)
	}
	config = rest.CopyConfig(config)
	warned := new(warnings)
	config.QPS, config.WarningHandler = -1, warned
	s := server{
		definitions: clientset.NewForConfigOrDie(config),
		objects:     dynamic.NewForConfigOrDie(config),
		warned:      warned,
	}
	s.serve(t, crds...)
	return s
}

// serve creates definitions and waits until the server serves them.
func (s server) serve(t *testing.T, crds ...apiextensionsv1.CustomResourceDefinition) {
	t.Helper()
	definitions := s.definitions.ApiextensionsV1().CustomResourceDefinitions()
	for i := range crds {
		if _, err := definitions.Create(t.Context(), &crds[i], metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range crds {
		resources := s.resources(&crds[i], 0)
		eventually.Eventually(t, patience, "the server serves "+crds[i].Name, func(ctx context.Context) error {
			_, err := resources.List(ctx, metav1.ListOptions{})
			return err
		})
	}
}

// forget deletes definitions, which have no objects.
func (s server) forget(t *testing.T, crds ...apiextensionsv1.CustomResourceDefinition) {
	t.Helper()
	definitions := s.definitions.ApiextensionsV1().CustomResourceDefinitions()
	for i := range crds {
		if err := definitions.Delete(t.Context(), crds[i].Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	}
}

func (s server) resources(crd *apiextensionsv1.CustomResourceDefinition, version int) dynamic.ResourceInterface {
	gvr := runtimeschema.GroupVersionResource{
		Group:    crd.Spec.Group,
		Version:  crd.Spec.Versions[version].Name,
		Resource: crd.Spec.Names.Plural,
	}
	return s.objects.Resource(gvr).Namespace("default")
}

// TestOracle asks a real API server about 5,000 objects, most of them spoilt, by strict dry run,
// and compares: the fields that it does not know, every error with its type, field and message, and
// what it would keep.
func TestOracle(t *testing.T) {
	crds := append(
		kubeVirt(t, "virtualmachines.kubevirt.io", "virtualmachineinstances.kubevirt.io", "datavolumes.cdi.kubevirt.io"),
		widgets(t),
	)
	s := start(t, crds...)
	counts := map[string]int{
		"virtualmachines.kubevirt.io":         1500,
		"virtualmachineinstances.kubevirt.io": 1000,
		"datavolumes.cdi.kubevirt.io":         500,
		"widgets.example.com":                 2000,
	}
	var tally tally
	for i := range crds {
		definition, err := admit.Compile(&crds[i])
		if err != nil {
			t.Fatal(err)
		}
		g := generator{random: rand.New(rand.NewPCG(7, uint64(i)))}
		var asked sync.WaitGroup
		slots := make(chan struct{}, askers)
		for n := range counts[crds[i].Name] {
			version := n % len(crds[i].Spec.Versions)
			object := g.object(&crds[i], version, fmt.Sprintf("o-%d", n))
			g.spoil(object, n%5)
			if n%7 == 0 {
				g.spoilMetadata(object)
			}
			slots <- struct{}{}
			asked.Go(func() {
				defer func() { <-slots }()
				tally.compare(t, definition, s.resources(&crds[i], version), object)
			})
		}
		asked.Wait()
	}
	t.Logf(
		"%d objects: %d accepted, %d refused with %d errors, %d with %d pruned fields, %d undecodable", tally.objects.Load(),
		tally.accepted.Load(), tally.refused.Load(), tally.errors.Load(), tally.pruning.Load(), tally.pruned.Load(),
		tally.undecodable.Load(),
	)
	if tally.objects.Load() != 5000 || tally.accepted.Load() < 500 || tally.refused.Load() < 500 ||
		tally.pruning.Load() < 500 {
		t.Error("the objects do not try enough of what there is")
	}
}

type tally struct {
	objects, accepted, refused, errors, pruning, pruned, undecodable, faults atomic.Int64
}

// compare asks both about one object.
func (c *tally) compare(
	t *testing.T, definition *admit.Definition, resources dynamic.ResourceInterface, object map[string]any,
) {
	c.objects.Add(1)
	if c.faults.Load() > 10 {
		return
	}
	want, err := admit.Live(t.Context(), resources, object)
	if err != nil {
		c.fault(t, object, "asking the server: %v", err)
		return
	}
	got, err := definition.Create(t.Context(), object)
	if err != nil {
		c.undecodable.Add(1)
		if want.Accepted {
			c.fault(t, object, "not looked at, but accepted by the server: %v", err)
		}
		return
	}
	if diff := cmp.Diff(want.Pruned, got.Pruned, cmpEmpty); diff != "" {
		c.fault(t, object, "pruned: -server +ours:\n%s", diff)
	}
	slices.SortFunc(want.Refused, func(a, b admit.Refusal) int {
		return strings.Compare(fmt.Sprint(a.Path, a.Type, a.Message), fmt.Sprint(b.Path, b.Type, b.Message))
	})
	slices.SortFunc(got.Refused, func(a, b admit.Refusal) int {
		return strings.Compare(fmt.Sprint(a.Path, a.Type, a.Message), fmt.Sprint(b.Path, b.Type, b.Message))
	})
	if diff := cmp.Diff(slices.Compact(want.Refused), got.Refused, cmpEmpty); diff != "" || want.Accepted != got.Accepted {
		c.fault(t, object, "accepted by the server %t, by us %t: -server +ours:\n%s", want.Accepted, got.Accepted, diff)
	}
	if want.Accepted && got.Accepted {
		c.accepted.Add(1)
		if diff := cmp.Diff(withoutMetadata(want.Object), withoutMetadata(got.Object)); diff != "" {
			c.fault(t, object, "kept: -server +ours:\n%s", diff)
		}
	} else {
		c.refused.Add(1)
		c.errors.Add(int64(len(got.Refused)))
	}
	if len(got.Pruned) > 0 {
		c.pruning.Add(1)
		c.pruned.Add(int64(len(got.Pruned)))
	}
}

func (c *tally) fault(t *testing.T, object map[string]any, format string, args ...any) {
	c.faults.Add(1)
	t.Errorf("%v\n%s", object, fmt.Sprintf(format, args...))
}

// withoutMetadata leaves out what the server sets.
func withoutMetadata(object map[string]any) map[string]any {
	object = maps.Clone(object)
	delete(object, "metadata")
	return object
}

var cmpEmpty = cmp.Transformer("empty", func(list []string) []string { return append([]string{}, list...) })

// TestOracleOfUpdates tightens a definition below objects that it no longer fits, and asks a real
// API server about changes of them: what was wrong before and stays as it is passes, what is
// touched does not.
func TestOracleOfUpdates(t *testing.T) {
	crd := widgets(t)
	s := start(t, crd)
	g := generator{random: rand.New(rand.NewPCG(11, 1))}
	resources := s.resources(&crd, 0)
	var stored []map[string]any
	for n := 0; len(stored) < 150; n++ {
		created, err := resources.Create(
			t.Context(), object(g.object(&crd, 0, fmt.Sprintf("o-%d", n))), metav1.CreateOptions{},
		)
		switch {
		case err == nil:
			stored = append(stored, created.Object)
		case !apierrors.IsInvalid(err):
			t.Fatal(err)
		}
	}
	tightened := tighten(t, s, &crd)
	definition, err := admit.Compile(tightened)
	if err != nil {
		t.Fatal(err)
	}
	eventually.Eventually(t, patience, "the server takes the new definition up", func(ctx context.Context) error {
		verdict, err := admit.Live(ctx, resources, probe())
		if err == nil && verdict.Accepted {
			return errors.New("it accepts what the new definition refuses")
		}
		return err
	})
	accepted, refused := 0, 0
	for i, old := range stored {
		changed := object(old).DeepCopy().Object
		g.spoil(changed, i%3)
		_, err := resources.Update(
			t.Context(), object(changed), metav1.UpdateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: "Ignore"},
		)
		verdict, failed := definition.Update(t.Context(), changed, old)
		if failed != nil {
			if err == nil {
				t.Errorf("%v: not looked at, but accepted by the server: %v", changed, failed)
			}
			continue
		}
		var status apierrors.APIStatus
		switch {
		case err == nil:
			accepted++
		case errors.As(err, &status) && apierrors.IsInvalid(err):
			refused++
		default:
			t.Fatal(err)
		}
		if verdict.Accepted != (err == nil) {
			t.Errorf("%v\nour refusals %v, the server's %v", changed, verdict.Refused, err)
		}
		if err != nil {
			if diff := cmp.Diff(causes(status.Status()), fields(verdict.Refused)); diff != "" {
				t.Errorf("%v\n-server +ours:\n%s", changed, diff)
			}
		}
	}
	t.Logf("%d updates accepted, %d refused", accepted, refused)
	if accepted < 30 || refused < 20 {
		t.Errorf("%d accepted and %d refused do not try enough", accepted, refused)
	}
}

package compatibility

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
)

// kubeVirt returns the definitions of KubeVirt 1.8.4 that `make tools` writes.
func kubeVirt(t *testing.T) []apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	cache, err := controlplane.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(cache, "kubevirt-v1.8.4", "crds.yaml"))
	if err != nil {
		t.Fatalf("%v: run `make tools`", err)
	}
	crds, err := crdcheck.Load(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(crds, func(crd apiextensionsv1.CustomResourceDefinition) bool {
		return crd.Name != vms && crd.Name != vmis
	})
}

// cluster is one whose requests are counted.
type cluster struct {
	client.Client
	lists, gets atomic.Int32
	broken      atomic.Bool
}

func newCluster(t *testing.T, crds ...apiextensionsv1.CustomResourceDefinition) *cluster {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := apiextensionsv1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c := &cluster{}
	builder := fake.NewClientBuilder().WithScheme(scheme).WithInterceptorFuncs(interceptor.Funcs{
		List: func(ctx context.Context, inner client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
			c.lists.Add(1)
			if c.broken.Load() {
				return errors.New("https://10.0.0.1:6443: connection refused")
			}
			return inner.List(ctx, list, options...)
		},
		Get: func(ctx context.Context, inner client.WithWatch, key client.ObjectKey, object client.Object,
			options ...client.GetOption) error {
			c.gets.Add(1)
			return inner.Get(ctx, key, object, options...)
		},
	})
	for i := range crds {
		builder = builder.WithObjects(crds[i].DeepCopy())
	}
	c.Client = builder.Build()
	return c
}

func checker(t *testing.T) *Checker {
	t.Helper()
	c, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// TestCheckWarm: what has not changed costs one request, whatever it says; what has changed is read
// again, and nothing else.
func TestCheckWarm(t *testing.T) {
	east, c := newCluster(t, kubeVirt(t)...), checker(t)
	for round := range 3 {
		answer := c.Check(t.Context(), "east", east)
		if !answer.Answered || !answer.Compatible || answer.Findings != 0 {
			t.Fatalf("round %d: %+v", round, answer)
		}
		if lists, gets := east.lists.Load(), east.gets.Load(); lists != int32(round+1) || gets != 2 {
			t.Errorf("round %d: %d lists and %d gets in all", round, lists, gets)
		}
	}
	changed := &apiextensionsv1.CustomResourceDefinition{}
	if err := east.Get(t.Context(), client.ObjectKey{Name: vms}, changed); err != nil {
		t.Fatal(err)
	}
	before := east.gets.Load()
	for i := range changed.Spec.Versions {
		delete(changed.Spec.Versions[i].Schema.OpenAPIV3Schema.Properties["spec"].Properties, "runStrategy")
	}
	if err := east.Update(t.Context(), changed); err != nil {
		t.Fatal(err)
	}
	answer := c.Check(t.Context(), "east", east)
	if answer.Compatible || !strings.Contains(answer.Message,
		"virtualmachines.kubevirt.io: field spec.runStrategy is missing") {
		t.Errorf("a field that went: %+v", answer)
	}
	if gets := east.gets.Load() - before; gets != 1 {
		t.Errorf("%d definitions were read for one that changed", gets)
	}
}

// TestCheckFleet: clusters with equal definitions compile them once; one that differs where the
// operator is concerned is told so.
func TestCheckFleet(t *testing.T) {
	c := checker(t)
	crds := kubeVirt(t)
	for _, name := range []string{"a", "b", "c", "d"} {
		if answer := c.Check(t.Context(), name, newCluster(t, crds...)); !answer.Compatible || answer.Findings != 0 {
			t.Errorf("%s: %+v", name, answer)
		}
	}
	if n := c.cache.Compiled(); n != 2 {
		t.Errorf("two definitions were compiled %d times", n)
	}
	for i := range crds {
		if crds[i].Name != vms {
			continue
		}
		for j := range crds[i].Spec.Versions {
			strategy := crds[i].Spec.Versions[j].Schema.OpenAPIV3Schema.Properties["spec"].Properties["runStrategy"]
			strategy.Enum = []apiextensionsv1.JSON{{Raw: []byte(`"Always"`)}}
			crds[i].Spec.Versions[j].Schema.OpenAPIV3Schema.Properties["spec"].Properties["runStrategy"] = strategy
		}
	}
	answer := c.Check(t.Context(), "other", newCluster(t, crds...))
	if !answer.Compatible || answer.Findings != 1 || !strings.Contains(answer.Message,
		`differ from a: virtualmachines.kubevirt.io: v1: spec.runStrategy: enum added: what is none of "Always" is refused`) {
		t.Errorf("an enumeration where the operator writes: %+v", answer)
	}
	c.Forget("other")
	if answer := c.Check(t.Context(), "b", newCluster(t, kubeVirt(t)...)); answer.Findings != 0 {
		t.Errorf("a cluster that was forgotten still counts: %+v", answer)
	}
}

func TestCheckWithoutAnswer(t *testing.T) {
	c := checker(t)
	if answer := c.Check(t.Context(), "empty", newCluster(t)); !answer.Answered || answer.Compatible {
		t.Errorf("a cluster without KubeVirt: %+v", answer)
	}
	away := newCluster(t)
	away.broken.Store(true)
	answer := c.Check(t.Context(), "away", away)
	if answer.Answered || answer.Compatible || strings.Contains(answer.Message, "10.0.0.1") {
		t.Errorf("silence is no answer, and no address gets into a condition: %+v", answer)
	}
}

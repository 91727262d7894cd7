package multicluster_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	mc "sigs.k8s.io/multicluster-runtime/pkg/multicluster"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// fleet is a world with a third cluster, south, whose KubevirtConfig and Secret change.
type fleet struct {
	*world
	south  client.Client
	secret client.ObjectKey
}

// TestCasesOfTheKubeconfigProvider are the test cases of multicluster-runtime's own kubeconfig
// provider, in their order: each begins with what the former left.
func TestCasesOfTheKubeconfigProvider(t *testing.T) {
	w := newWorld(t)
	southern := controlplane.New(t, controlplane.Options{Name: "south"})
	south, err := client.New(southern.Config(), client.Options{})
	w.must(err)
	f := &fleet{world: w, south: south, secret: client.ObjectKey{Namespace: "default", Name: "south"}}
	f.create(f.south, "lion", "yellow")
	f.config("south", southern, southern.Addr())
	for _, step := range []struct {
		name, reason string
		run          func(*fleet)
	}{
		{"lists the clusters", "each KubevirtConfig with a Secret is a cluster", (*fleet).lists},
		{"reconciles existing, new and updated objects", "controllers hear of every change", (*fleet).reconciles},
		{"queries one cluster by an index", "an index of all clusters is asked in each alone", (*fleet).queries},
		{"refuses an index of a kind that is not cached", "no cluster could ever have it", (*fleet).refuses},
		{"goes on after the Secret was rewritten", "a note on a Secret is no other cluster", (*fleet).rewritten},
		{"follows a changed kubeconfig with consent", "a name that begins to stand for another cluster needs a person",
			(*fleet).changed},
		{"lets go of a cluster whose Secret is deleted", "without a credential there is no connection", (*fleet).deleted},
		{"passes over a Secret without a kubeconfig", "the Secret may be filled later", (*fleet).unfilled},
		{"takes a cluster whose Secret is there again", "what was missing is there", func(f *fleet) { f.back(southern) }},
	} {
		if !t.Run(step.name, func(t *testing.T) {
			f.t = t
			step.run(f)
		}) {
			t.Fatalf("%s: what follows needs it", step.reason)
		}
	}
	f.t = t
}

func (f *fleet) are(want ...mc.ClusterName) {
	f.t.Helper()
	engagedWithin(f.t, time.Minute, f.provider, want...)
}

func (f *fleet) lists() { f.are("east", "south", "west") }

func (f *fleet) reconciles() {
	f.sees("south/lion", "yellow 1")
	f.create(f.south, "tiger", "yellow")
	f.sees("south/tiger", "yellow 2")
	f.must(f.south.Patch(f.t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "tiger"}},
		client.RawPatch("application/merge-patch+json", []byte(`{"data":{"colour":"orange"}}`))))
	f.sees("south/tiger", "orange 1")
}

func (f *fleet) queries() {
	f.create(f.east, "parrot", "yellow") // in another cluster
	f.sees("east/parrot", "yellow 1")
	of, err := f.manager.GetCluster(f.t.Context(), "south")
	f.must(err)
	var found corev1.ConfigMapList
	f.must(of.GetCache().List(f.t.Context(), &found, client.MatchingFields{"data.colour": "yellow"}))
	names := make([]string, len(found.Items))
	for i := range found.Items {
		names[i] = found.Items[i].Name
	}
	if diff := cmp.Diff([]string{"lion"}, names); diff != "" {
		f.t.Errorf("-want +got:\n%s", diff)
	}
}

func (f *fleet) refuses() {
	err := f.manager.GetFieldIndexer().IndexField(f.t.Context(), &corev1.Pod{}, "spec.nodeName", none)
	if missing := (*cache.ErrResourceNotCached)(nil); !errors.As(err, &missing) {
		f.t.Errorf("want ErrResourceNotCached, got %v", err)
	}
}

func (f *fleet) rewritten() {
	before, err := f.manager.GetCluster(f.t.Context(), "south")
	f.must(err)
	f.patchSecret(`{"metadata":{"annotations":{"location":"amazon"}}}`)
	f.create(f.south, "leopard", "black")
	f.sees("south/leopard", "black 1")
	if after, err := f.manager.GetCluster(f.t.Context(), "south"); err != nil || after != before {
		f.t.Errorf("a note on the Secret has made another cluster of it: %v", err)
	}
}

func (f *fleet) changed() {
	f.fill(f.kubeconfig(f.eastern, f.eastern.Addr()))
	f.fails("south", clientmgr.ErrIdentityChanged)
	f.create(f.east, "dog", "brown")
	f.sees("east/dog", "brown 1")
	f.are("east", "west")
	f.hasNotSeen("south/dog")

	var kubeSystem corev1.Namespace
	f.must(f.east.Get(f.t.Context(), client.ObjectKey{Name: "kube-system"}, &kubeSystem))
	f.must(f.west.Patch(f.t.Context(),
		&vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "south"}},
		client.RawPatch("application/merge-patch+json", fmt.Appendf(nil, `{"metadata":{"annotations":{%q:%q}}}`,
			vitistackv1alpha1.AnnotationAcceptClusterUID, kubeSystem.UID))))
	f.sees("south/dog", "brown 1")
	f.are("east", "south", "west")
}

func (f *fleet) deleted() {
	f.must(f.west.Delete(f.t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Namespace: f.secret.Namespace, Name: f.secret.Name}}))
	f.are("east", "west")
	f.fails("south", clientmgr.ErrCredentialMissing)
}

func (f *fleet) unfilled() {
	f.must(f.west.Create(f.t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Namespace: f.secret.Namespace, Name: f.secret.Name},
		Data:       map[string][]byte{"some-other-key": []byte("some-data")},
	}))
	f.fails("south", clientmgr.ErrCredentialMissing)
	f.fill([]byte("# nothing yet"))
	f.fails("south", clientmgr.ErrBadKubeconfig)
	f.are("east", "west")
}

func (f *fleet) back(of *controlplane.Cluster) {
	f.must(f.west.Patch(f.t.Context(),
		&vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "south"}},
		client.RawPatch("application/merge-patch+json", fmt.Appendf(nil, `{"metadata":{"annotations":{%q:null}}}`,
			vitistackv1alpha1.AnnotationAcceptClusterUID))))
	f.fill(f.kubeconfig(f.eastern, f.eastern.Addr()))
	f.are("east", "south", "west")
	f.fill(f.kubeconfig(of, of.Addr()))
	f.fails("south", clientmgr.ErrIdentityChanged)
}

// fill puts a kubeconfig into the Secret.
func (f *fleet) fill(kubeconfig []byte) {
	f.t.Helper()
	f.patchSecret(fmt.Sprintf(`{"stringData":{"kubeconfig":%q}}`, kubeconfig))
}

func (f *fleet) patchSecret(patch string) {
	f.t.Helper()
	f.must(f.west.Patch(f.t.Context(), &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Namespace: f.secret.Namespace, Name: f.secret.Name}}, client.RawPatch("application/merge-patch+json", []byte(patch))))
}

// fails waits until a cluster is not offered for a reason. None of these is ErrClusterNotFound, for
// which multicluster-runtime drops a request.
func (f *fleet) fails(name mc.ClusterName, want error) {
	f.t.Helper()
	eventually.Eventually(f.t, time.Minute, "the cluster is not offered", func(ctx context.Context) error {
		if _, err := f.manager.GetCluster(ctx, name); !errors.Is(err, want) || errors.Is(err, mc.ErrClusterNotFound) {
			return fmt.Errorf("want %w, got %w", want, err)
		}
		return nil
	})
}

func (f *fleet) hasNotSeen(key string) {
	f.t.Helper()
	f.locked.Lock()
	defer f.locked.Unlock()
	if got, found := f.locked.seen[key]; found {
		f.t.Errorf("%s was reconciled: %s", key, got)
	}
}

package gather_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clocktesting "k8s.io/utils/clock/testing"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/app"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/readiness"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/readiness/gather"
)

var now = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// cluster is one that counts what it is asked, and answers with an error where one is set.
type cluster struct {
	mu     sync.Mutex
	asked  map[string]int   // by kind
	errors map[string]error // by kind; "dry run" is the creation of the virtual machine
	hangs  string           // the kind whose list is never answered
}

// ask notes a question, and returns what it is answered with.
func (c *cluster) ask(kind string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked[kind]++
	return c.errors[kind]
}

func (c *cluster) count(kind string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.asked[kind]
}

func kindOf(object runtime.Object) string {
	if kind := object.GetObjectKind().GroupVersionKind().Kind; kind != "" {
		return kind
	}
	return fmt.Sprintf("%T", object)
}

// newCluster has one node and one KubeVirt.
func newCluster(t *testing.T) (*cluster, client.Client) {
	t.Helper()
	scheme, err := app.NewScheme()
	if err != nil {
		t.Fatal(err)
	}
	c := &cluster{asked: map[string]int{}, errors: map[string]error{}}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "n1"}, Status: corev1.NodeStatus{
		Allocatable: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse("8"), corev1.ResourceMemory: resource.MustParse("32Gi"),
		},
		Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
	}}
	kubeVirt := &kubevirtv1.KubeVirt{ObjectMeta: metav1.ObjectMeta{Namespace: "kubevirt", Name: "kubevirt"},
		Status: kubevirtv1.KubeVirtStatus{Phase: kubevirtv1.KubeVirtPhaseDeployed, ObservedKubeVirtVersion: "v1.8.2"}}
	built := fake.NewClientBuilder().WithScheme(scheme).WithObjects(node, kubeVirt,
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team-a"}}).
		WithInterceptorFuncs(interceptor.Funcs{
			Get: func(
				ctx context.Context, inner client.WithWatch, key client.ObjectKey, object client.Object, opts ...client.GetOption,
			) error {
				if err := c.ask(kindOf(object)); err != nil {
					return err
				}
				return inner.Get(ctx, key, object, opts...)
			},
			List: func(ctx context.Context, inner client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
				if err := c.ask(kindOf(list)); err != nil {
					return err
				}
				if c.hangs == kindOf(list) {
					<-ctx.Done()
					return ctx.Err()
				}
				return inner.List(ctx, list, opts...)
			},
			Create: func(_ context.Context, _ client.WithWatch, object client.Object, opts ...client.CreateOption) error {
				if review, ok := object.(*authorizationv1.SelfSubjectAccessReview); ok {
					review.Status.Allowed = review.Spec.ResourceAttributes.Resource != "namespaces"
					return c.ask("review")
				}
				said := (&client.CreateOptions{}).ApplyOptions(opts)
				if len(said.DryRun) != 1 || said.FieldValidation != "Strict" {
					t.Errorf("%s would be created: %+v", kindOf(object), said)
				}
				return c.ask("dry run")
			},
		}).Build()
	return c, built
}

func needs(name string) readiness.Needs {
	vm := &kubevirtv1.VirtualMachine{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: name}}
	vm.SetGroupVersionKind(kubevirtv1.VirtualMachineGroupVersionKind)
	vm.Spec.Template = &kubevirtv1.VirtualMachineInstanceTemplateSpec{}
	return readiness.Needs{VM: vm, Disks: []readiness.Disk{{Name: name + "-root"}}, Rights: []readiness.Right{
		{Verb: "create", Group: "kubevirt.io", Resource: "virtualmachines", Namespace: "team-a"},
		{Verb: "create", Resource: "namespaces"},
	}}
}

func target(config string) gather.Target {
	return gather.Target{Config: config, Door: readiness.Seen(readiness.Door{Allowed: true}, now),
		Machines: readiness.Seen(int64(1), now)}
}

const (
	nodes  = "*v1.NodeList"
	quotas = "*v1.ResourceQuotaList"
)

// TestManyAtOnce: what concerns a cluster is asked once by fifty Machines, and anew after a while.
// What concerns a Machine is asked for each.
func TestManyAtOnce(t *testing.T) {
	east, built := newCluster(t)
	east.errors[quotas] = apierrors.NewForbidden(schema.GroupResource{Resource: "resourcequotas"}, "", errors.New("no"))
	remotes := clientmgr.NewMockClientManager()
	remotes.AddMockedClient("east", built)
	clock := clocktesting.NewFakeClock(now)
	gatherer := gather.New(remotes, gather.Options{Clock: clock, Timeout: time.Minute})
	const machines = 50
	ask := func() {
		var asking sync.WaitGroup
		for i := range machines {
			asking.Go(func() {
				facts := gatherer.One(t.Context(), target("east"), needs(fmt.Sprintf("vm-%d", i)))
				if missing := facts.Quotas.Missing; missing == nil || missing.Right != "list resourcequotas" {
					t.Errorf("quotas: %+v", facts.Quotas)
				}
				if len(facts.Nodes.Value) != 1 || !facts.DryRun.Value.Accepted || facts.KubeVirt.Value.Version != "v1.8.2" {
					t.Errorf("%+v", facts)
				}
				if lacking := facts.Lacking.Value; len(lacking) != 1 || lacking[0] != "create namespaces" {
					t.Errorf("rights: %+v", facts.Lacking)
				}
			})
		}
		asking.Wait()
	}
	ask()
	for kind, want := range map[string]int{nodes: 1, quotas: 1, "review": 2, "dry run": machines, "*v1.VirtualMachine": machines} {
		if got := east.count(kind); got != want {
			t.Errorf("%s: asked %d times, want %d", kind, got, want)
		}
	}
	clock.Step(31 * time.Second)
	ask()
	if got := east.count(nodes); got != 2 {
		t.Errorf("nodes were listed %d times in 31 s", got)
	}
}

// TestSilence: a question that is never answered takes no longer than the cluster's time, is told,
// and is asked again. The other questions, and the other cluster, are answered.
func TestSilence(t *testing.T) {
	east, hanging := newCluster(t)
	_, well := newCluster(t)
	east.hangs = nodes
	remotes := clientmgr.NewMockClientManager()
	remotes.AddMockedClient("east", hanging)
	remotes.AddMockedClient("west", well)
	gatherer := gather.New(remotes, gather.Options{Timeout: 200 * time.Millisecond})
	for round := 0; east.count(nodes) < 2; round++ { // the second may still wait for the first one's answer
		if round == 10 {
			t.Fatal("silence is remembered: it is not asked again")
		}
		began := time.Now()
		all := gatherer.All(t.Context(), []gather.Target{target("east"), target("west")}, needs("vm-a"))
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("it took %v", took)
		}
		missing := all[0].Nodes.Missing
		if missing == nil || missing.Reason != readiness.ReasonSilent || all[0].KubeVirt.Missing != nil {
			t.Errorf("nodes %+v, KubeVirt %+v", all[0].Nodes, all[0].KubeVirt)
		}
		if all[1].Config != "west" || len(all[1].Nodes.Value) != 1 {
			t.Errorf("west: %+v", all[1].Nodes)
		}
	}
}

// TestNotConnected: without a connection nothing is asked, and every fact says why.
func TestNotConnected(t *testing.T) {
	east, built := newCluster(t)
	remotes := clientmgr.NewMockClientManager()
	remotes.AddMockedClient("east", built)
	remotes.LiveFunc = func(string) (client.Reader, error) { return nil, errors.New("no route to the server") }
	facts := gather.New(remotes, gather.Options{}).One(t.Context(), target("east"), needs("vm-a"))
	if facts.Connection.Value.Ready || facts.Connection.Value.Message != "no route to the server" {
		t.Errorf("%+v", facts.Connection)
	}
	for _, missing := range []*readiness.Missing{facts.Nodes.Missing, facts.DryRun.Missing, facts.Quotas.Missing} {
		if missing == nil || missing.Reason != readiness.ReasonSilent {
			t.Errorf("%+v", missing)
		}
	}
	if !facts.Door.Value.Allowed || len(east.asked) > 0 {
		t.Errorf("%+v; asked %v", facts.Door, east.asked)
	}
}

// TestDryRun tells refusals of the object from a server that fails.
func TestDryRun(t *testing.T) {
	vms := schema.GroupResource{Group: "kubevirt.io", Resource: "virtualmachines"}
	status := func(code int32, reason metav1.StatusReason, message string) error {
		return &apierrors.StatusError{ErrStatus: metav1.Status{Code: code, Reason: reason, Message: message}}
	}
	cases := map[string]struct {
		err    error
		want   readiness.DryRun
		silent bool
	}{
		"accepted":     {want: readiness.DryRun{Accepted: true}},
		"exists":       {err: apierrors.NewAlreadyExists(vms, "vm-a"), want: readiness.DryRun{Exists: true}},
		"no namespace": {err: apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "team-a"), want: readiness.DryRun{NoNamespace: true}},
		"webhook says no": {
			err:  status(http.StatusBadRequest, metav1.StatusReasonBadRequest, "denied"),
			want: readiness.DryRun{Message: "denied"},
		},
		"quota is used up": {
			err:  status(http.StatusForbidden, metav1.StatusReasonForbidden, "exceeded quota"),
			want: readiness.DryRun{Message: "KubevirtConfig east: exceeded quota"},
		},
		"server is busy": {err: apierrors.NewTooManyRequests("busy", 1), silent: true},
		"webhook is gone": {
			err: status(http.StatusInternalServerError, metav1.StatusReasonInternalError, "failed calling webhook"), silent: true,
		},
		"credential is over": {err: apierrors.NewUnauthorized("no"), silent: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			east, built := newCluster(t)
			east.errors["dry run"] = tc.err
			remotes := clientmgr.NewMockClientManager()
			remotes.AddMockedClient("east", built)
			facts := gather.New(remotes, gather.Options{}).One(t.Context(), target("east"), needs("vm-a"))
			if facts.DryRun.Value != tc.want || (facts.DryRun.Missing != nil) != tc.silent {
				t.Errorf("%+v %+v", facts.DryRun, facts.DryRun.Missing)
			}
			if worked := east.count("*v1.CustomResourceDefinition") > 0; worked == tc.want.Accepted {
				t.Errorf("definitions were read: %t", worked)
			}
		})
	}
}

// TestPlaced: a Machine that was placed takes its room at once.
func TestPlaced(t *testing.T) {
	_, built := newCluster(t)
	remotes := clientmgr.NewMockClientManager()
	remotes.AddMockedClient("east", built)
	gatherer := gather.New(remotes, gather.Options{})
	before := gatherer.One(t.Context(), target("east"), needs("vm-a")).Nodes.Value[0].Free
	gatherer.Placed("east", readiness.Size{MilliCPU: 4000, MemoryBytes: 8 << 30})
	after := gatherer.One(t.Context(), target("east"), needs("vm-b")).Nodes.Value[0].Free
	want := readiness.Size{MilliCPU: before.MilliCPU - 400, MemoryBytes: before.MemoryBytes - 8<<30}
	if after != want {
		t.Errorf("free are %+v, want %+v", after, want)
	}
	gatherer.Placed("west", readiness.Size{MilliCPU: 1}) // of which nothing is known
}

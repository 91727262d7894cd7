package capacity_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/capacity"
)

func list(cpu, memory string) corev1.ResourceList {
	return corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu),
		corev1.ResourceMemory: resource.MustParse(memory)}
}

func node(name string, ready corev1.ConditionStatus, change ...func(*corev1.Node)) *corev1.Node {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}}
	n.Status.Allocatable = list("4", "8Gi")
	n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeMemoryPressure, Status: "False"},
		{Type: corev1.NodeReady, Status: ready}}
	for _, each := range change {
		each(n)
	}
	return n
}

func pod(name, on string, change ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: name},
		Spec: corev1.PodSpec{NodeName: on, Containers: []corev1.Container{
			{Name: "compute", Resources: corev1.ResourceRequirements{Requests: list("500m", "1Gi")}},
		}}}
	for _, each := range change {
		each(p)
	}
	return p
}

func before(name string, policy *corev1.ContainerRestartPolicy, cpu, memory string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.InitContainers = append(p.Spec.InitContainers, corev1.Container{
			Name: name, RestartPolicy: policy, Resources: corev1.ResourceRequirements{Requests: list(cpu, memory)},
		})
	}
}

func TestFree(t *testing.T) {
	ended := func(phase corev1.PodPhase) func(*corev1.Pod) { return func(p *corev1.Pod) { p.Status.Phase = phase } }
	const gib = 1 << 30
	for name, tc := range map[string]struct {
		reason  string
		objects []client.Object
		want    capacity.Room
	}{
		"Nothing": {reason: "a cluster without nodes has no room"},
		"Empty": {reason: "all nodes together", objects: []client.Object{node("a", "True"), node("b", "True")},
			want: capacity.Room{MilliCPU: 8000, MemoryBytes: 16 * gib}},
		"NotReady": {reason: "what is not ready takes no pods", objects: []client.Object{node("a", "True"),
			node("b", "False"), node("c", "Unknown")}, want: capacity.Room{MilliCPU: 4000, MemoryBytes: 8 * gib}},
		"Unschedulable": {reason: "nor does what is cordoned",
			objects: []client.Object{node("a", "True", func(n *corev1.Node) { n.Spec.Unschedulable = true })}},
		"NoCondition": {reason: "a node of which nobody has heard yet",
			objects: []client.Object{node("a", "True", func(n *corev1.Node) { n.Status.Conditions = nil })}},
		"Pods": {
			reason: "what runs is taken; what has ended, waits, or is on a node that does not count is not",
			objects: []client.Object{
				node("a", "True"), node("down", "False"), pod("one", "a"), pod("two", "a", ended(corev1.PodRunning)),
				pod("done", "a", ended(corev1.PodSucceeded)),
				pod("failed", "a", ended(corev1.PodFailed)), pod("waiting", ""), pod("lost", "down"),
			},
			want: capacity.Room{MilliCPU: 3000, MemoryBytes: 6 * gib},
		},
		"InitContainers": {
			reason: "the largest of what runs before, where that is more than all that runs after",
			objects: []client.Object{node("a", "True"),
				pod("one", "a", before("one", nil, "2", "512Mi"), before("two", nil, "1", "512Mi"))},
			want: capacity.Room{MilliCPU: 2000, MemoryBytes: 7 * gib},
		},
		"Sidecar": {
			reason: "a sidecar runs beside the others, and counts with them",
			objects: []client.Object{node("a", "True"),
				pod("one", "a", before("proxy", new(corev1.ContainerRestartPolicyAlways), "250m", "1Gi"))},
			want: capacity.Room{MilliCPU: 3250, MemoryBytes: 6 * gib},
		},
		"Overhead": {
			reason: "the sandbox takes its share",
			objects: []client.Object{node("a", "True"), pod("one", "a", func(p *corev1.Pod) {
				p.Spec.Overhead = list("500m", "1Gi")
			})},
			want: capacity.Room{MilliCPU: 3000, MemoryBytes: 6 * gib},
		},
		"Overcommitted": {
			reason: "less than nothing is left, and said",
			objects: []client.Object{node("a", "True"), pod("one", "a", func(p *corev1.Pod) {
				p.Spec.Containers[0].Resources.Requests = list("5", "9Gi")
			})},
			want: capacity.Room{MilliCPU: -1000, MemoryBytes: -gib},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := capacity.Free(t.Context(), fake.NewClientBuilder().WithObjects(tc.objects...).Build())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestNodes: what is free is told node by node, because a guest is on one of them.
func TestNodes(t *testing.T) {
	labelled := func(n *corev1.Node) { n.Labels = map[string]string{"zone": "north"} }
	reader := fake.NewClientBuilder().WithObjects(node("a", "True", labelled), node("b", "True"), node("c", "False"),
		pod("one", "a"), pod("two", "a"), pod("three", "c")).Build()
	nodes, err := capacity.Nodes(t.Context(), reader)
	if err != nil {
		t.Fatal(err)
	}
	free := map[string]capacity.Room{}
	for _, each := range nodes {
		free[each.Name] = each.Free
	}
	want := map[string]capacity.Room{"a": {MilliCPU: 3000, MemoryBytes: 6 << 30}, "b": {MilliCPU: 4000, MemoryBytes: 8 << 30}}
	if diff := cmp.Diff(want, free); diff != "" || nodes[0].Labels["zone"] != "north" {
		t.Errorf("%+v: -want +got:\n%s", nodes, diff)
	}
}

// TestPages: a cluster of many pods is read page by page, and all of them count.
func TestPages(t *testing.T) {
	asked := 0
	reader := fake.NewClientBuilder().WithObjects(node("a", "True")).WithInterceptorFuncs(interceptor.Funcs{
		List: func(ctx context.Context, inner client.WithWatch, into client.ObjectList, options ...client.ListOption) error {
			pods, ok := into.(*corev1.PodList)
			if !ok {
				return inner.List(ctx, into, options...)
			}
			said := (&client.ListOptions{}).ApplyOptions(options)
			if want := []string{"", "1", "2"}[asked]; said.Continue != want || said.Limit == 0 {
				t.Errorf("page %d was asked for as %q with limit %d", asked, said.Continue, said.Limit)
			}
			asked++
			*pods = corev1.PodList{Items: []corev1.Pod{*pod(fmt.Sprint(asked), "a")}}
			if asked < 3 {
				pods.Continue = fmt.Sprint(asked)
			}
			return nil
		},
	}).Build()
	free, err := capacity.Free(t.Context(), reader)
	if want := (capacity.Room{MilliCPU: 2500, MemoryBytes: 5 << 30}); err != nil || free != want {
		t.Errorf("%+v, %v; want %+v", free, err, want)
	}
}

func TestFreeUnknown(t *testing.T) {
	broken := errors.New("broken")
	for _, kind := range []client.ObjectList{&corev1.NodeList{}, &corev1.PodList{}} {
		reader := fake.NewClientBuilder().WithObjects(node("a", "True")).WithInterceptorFuncs(interceptor.Funcs{
			List: func(ctx context.Context, inner client.WithWatch, into client.ObjectList, options ...client.ListOption) error {
				if fmt.Sprintf("%T", into) == fmt.Sprintf("%T", kind) {
					return broken
				}
				return inner.List(ctx, into, options...)
			},
		}).Build()
		if _, err := capacity.Free(t.Context(), reader); !errors.Is(err, broken) {
			t.Errorf("%T cannot be listed: %v", kind, err)
		}
	}
}

// Package capacity tells how much room a cluster has for more pods, by what its scheduler counts.
// Any reader of nodes and pods will do:
//
//	live, err := remotes.Live("cluster-east")
//	free, err := capacity.Free(ctx, live)
package capacity

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	podresource "k8s.io/component-helpers/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// page is how many objects a page of a list has.
const page = 500

// Room is in thousandths of a CPU and in bytes. It is negative where more is requested than there
// is.
type Room struct{ MilliCPU, MemoryBytes int64 }

// Node is a node that takes pods.
type Node struct {
	Name        string
	Labels      map[string]string
	Taints      []corev1.Taint
	Allocatable corev1.ResourceList
	// Free is what is allocatable, less what the pods on it request that have not ended.
	Free Room
}

// Free is the sum of what is free on the nodes of [Nodes]. It says nothing of whether one node has
// all of it.
func Free(ctx context.Context, reader client.Reader) (Room, error) {
	nodes, err := Nodes(ctx, reader)
	sum := Room{}
	for _, node := range nodes {
		sum.MilliCPU += node.Free.MilliCPU
		sum.MemoryBytes += node.Free.MemoryBytes
	}
	return sum, err
}

// Nodes returns the nodes that take pods, in the server's order. It takes the rights to list nodes
// and pods in all namespaces; the errors are the reader's.
func Nodes(ctx context.Context, reader client.Reader) ([]Node, error) {
	var all []Node
	index := map[string]int{}
	nodes := &corev1.NodeList{}
	err := eachPage(ctx, reader, nodes, func() {
		for i := range nodes.Items {
			if node := &nodes.Items[i]; takesPods(node) {
				index[node.Name] = len(all)
				each := Node{Name: node.Name, Labels: node.Labels, Taints: node.Spec.Taints,
					Allocatable: node.Status.Allocatable}
				each.Free.add(node.Status.Allocatable, 1)
				all = append(all, each)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	pods := &corev1.PodList{}
	err = eachPage(ctx, reader, pods, func() {
		for i := range pods.Items {
			pod := &pods.Items[i]
			on, usable := index[pod.Spec.NodeName]
			if usable && pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed {
				all[on].Free.add(podresource.PodRequests(pod, counted), -1)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// eachPage lists page by page into list, and calls do after each.
func eachPage(ctx context.Context, reader client.Reader, list client.ObjectList, do func()) error {
	for next := ""; ; {
		if err := reader.List(ctx, list, client.Limit(page), client.Continue(next)); err != nil {
			return err
		}
		do()
		if next = list.GetContinue(); next == "" {
			return nil
		}
	}
}

func takesPods(node *corev1.Node) bool {
	if node.Spec.Unschedulable {
		return false
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			return condition.Status == corev1.ConditionTrue
		}
	}
	return false
}

// counted is how the scheduler counts a pod: a pod that is being resized counts with what it has
// and what it is to get.
var counted = podresource.PodResourcesOptions{UseStatusResources: true,
	InPlacePodLevelResourcesVerticalScalingEnabled: true}

func (r *Room) add(list corev1.ResourceList, times int64) {
	r.MilliCPU += times * list.Cpu().MilliValue()
	r.MemoryBytes += times * list.Memory().Value()
}

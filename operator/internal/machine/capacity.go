package machine

import (
	"context"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

// capacityPage is how many objects a page of a list has.
const capacityPage = 500

// room is in thousandths of a CPU and in bytes.
type room struct{ milliCPU, memory int64 }

func (r room) resources() placement.Resources {
	return placement.Resources{MilliCPU: new(r.milliCPU), MemoryBytes: new(r.memory)}
}

// take lets a Machine that was placed count before it can be seen in the cluster, so that many at once do not all go to one.
func (p *pass) take(config string, size placement.Resources) {
	if size.MilliCPU == nil || size.MemoryBytes == nil {
		return
	}
	p.seen.room.change(config, func(free *room) {
		free.milliCPU -= *size.MilliCPU
		free.memory -= *size.MemoryBytes
	})
}

// measure fills in the room of each cluster that lets itself be asked, side by side and each for a bounded time. What is not known stays
// unknown: a cluster that is silent, or whose kubeconfig may not list nodes and pods.
func (p *pass) measure(ctx context.Context, candidates []placement.Candidate) {
	var asking sync.WaitGroup
	for i := range candidates {
		c := &candidates[i]
		if free, known := p.seen.room.get(c.Name, p.now); known {
			c.Capacity.Free = free.resources()
			continue
		}
		if !c.Reachable {
			continue
		}
		asking.Go(func() {
			if free, err := p.freeIn(ctx, c.Name); err == nil {
				p.seen.room.put(c.Name, free, p.now)
				c.Capacity.Free = free.resources()
			}
		})
	}
	asking.Wait()
}

// freeIn is what nodes that take pods have allocatable, less what pods that have not ended request.
func (p *pass) freeIn(ctx context.Context, config string) (room, error) {
	reader, err := p.KubevirtClientMgr.Live(config)
	if err != nil {
		return room{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, remoteTimeout)
	defer cancel()
	free, usable := room{}, map[string]bool{}
	nodes := &corev1.NodeList{}
	err = eachPage(ctx, reader, nodes, func() {
		for i := range nodes.Items {
			if node := &nodes.Items[i]; takesPods(node) {
				usable[node.Name] = true
				free.add(node.Status.Allocatable, 1)
			}
		}
	})
	if err != nil {
		return room{}, err
	}
	pods := &corev1.PodList{}
	err = eachPage(ctx, reader, pods, func() {
		for i := range pods.Items {
			if pod := &pods.Items[i]; usable[pod.Spec.NodeName] && pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed {
				free.add(requestsOf(pod), -1)
			}
		}
	})
	return free, err
}

// eachPage lists page by page into list, and calls do after each.
func eachPage(ctx context.Context, reader client.Reader, list client.ObjectList, do func()) error {
	for next := ""; ; {
		if err := reader.List(ctx, list, client.Limit(capacityPage), client.Continue(next)); err != nil {
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

// requestsOf is what the scheduler counts: all containers together, or the largest of those that run before them.
func requestsOf(pod *corev1.Pod) corev1.ResourceList {
	sum := corev1.ResourceList{}
	for i := range pod.Spec.Containers {
		for name, quantity := range pod.Spec.Containers[i].Resources.Requests {
			total := sum[name]
			total.Add(quantity)
			sum[name] = total
		}
	}
	for i := range pod.Spec.InitContainers {
		for name, quantity := range pod.Spec.InitContainers[i].Resources.Requests {
			if quantity.Cmp(sum[name]) > 0 {
				sum[name] = quantity
			}
		}
	}
	for name, quantity := range pod.Spec.Overhead {
		total := sum[name]
		total.Add(quantity)
		sum[name] = total
	}
	return sum
}

func (r *room) add(list corev1.ResourceList, times int64) {
	amount := func(name corev1.ResourceName) resource.Quantity { return list[name] }
	cpu, memory := amount(corev1.ResourceCPU), amount(corev1.ResourceMemory)
	r.milliCPU += times * cpu.MilliValue()
	r.memory += times * memory.Value()
}

package agent

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// heartbeat is how often virt-handler and the kubelet say that they live. virt-controller gives a
// node up after five minutes.
const heartbeat = 20 * time.Second

// node keeps the cluster's node alive.
type node struct {
	name   string
	client client.Client
	gate   *gate
}

// Start renews the node until ctx ends. A heartbeat that failed is tried again soon.
func (n *node) Start(ctx context.Context) error {
	delay := time.Duration(0)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait.Jitter(delay, 0.1)):
		}
		delay = heartbeat
		if err := n.beat(ctx); err != nil {
			delay = retryAtMost
		}
	}
}

func (n *node) beat(ctx context.Context) error {
	if err := n.gate.pass(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	now := metav1.Now()
	live, err := n.ensure(ctx)
	if err != nil {
		return err
	}
	beaten := live.DeepCopy()
	metav1.SetMetaDataAnnotation(&beaten.ObjectMeta, kubevirtv1.VirtHandlerHeartbeat, now.UTC().Format(time.RFC3339))
	metav1.SetMetaDataLabel(&beaten.ObjectMeta, kubevirtv1.NodeSchedulable, "true")
	beaten.Spec.Taints = nil // there is no node lifecycle controller that would lift the one of admission
	if err := n.client.Patch(ctx, beaten, client.MergeFrom(live)); err != nil {
		return err
	}
	ready := beaten.DeepCopy()
	ready.Status = nodeStatus(beaten.Status, now)
	return n.client.Status().Patch(ctx, ready, client.MergeFrom(beaten))
}

// ensure returns the node, made if it is missing.
func (n *node) ensure(ctx context.Context) (*corev1.Node, error) {
	live := &corev1.Node{}
	err := n.client.Get(ctx, client.ObjectKey{Name: n.name}, live)
	if !apierrors.IsNotFound(err) {
		return live, err
	}
	live = &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: n.name, Labels: map[string]string{
		corev1.LabelHostname:       n.name,
		corev1.LabelArchStable:     "amd64",
		corev1.LabelOSStable:       "linux",
		kubevirtv1.NodeSchedulable: "true",
	}}}
	return live, n.client.Create(ctx, live)
}

func nodeStatus(status corev1.NodeStatus, now metav1.Time) corev1.NodeStatus {
	status.Capacity = nodeCapacity()
	status.Allocatable = nodeCapacity()
	since := now
	for _, condition := range status.Conditions {
		if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue {
			since = condition.LastTransitionTime
		}
	}
	status.Conditions = []corev1.NodeCondition{{
		Type: corev1.NodeReady, Status: corev1.ConditionTrue,
		Reason: "KubeletReady", Message: "the agent is posting ready status",
		LastHeartbeatTime: now, LastTransitionTime: since,
	}}
	return status
}

// nodeCapacity is enough for every test.
func nodeCapacity() corev1.ResourceList {
	return corev1.ResourceList{
		corev1.ResourceCPU:              resource.MustParse("4096"),
		corev1.ResourceMemory:           resource.MustParse("16Ti"),
		corev1.ResourcePods:             resource.MustParse("10000"),
		"devices.kubevirt.io/kvm":       resource.MustParse("10k"),
		"devices.kubevirt.io/tun":       resource.MustParse("10k"),
		"devices.kubevirt.io/vhost-net": resource.MustParse("10k"),
	}
}

package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
)

// interval is how often Pods are looked at.
const interval = 200 * time.Millisecond

// nodeName is that of the node.
const nodeName = "node"

// Options say what runs here.
type Options struct {
	// Cluster has the Pods.
	Cluster *controlplane.Cluster
	// Namespace is theirs.
	Namespace string
	// Folder is for images, volumes and logs; other users have to be able to walk through it.
	Folder string
}

// Node runs Pods.
type Node struct {
	Options
	admin  client.Client
	logs   *httptest.Server
	stop   context.CancelFunc
	ended  chan struct{}
	runs   map[types.UID]*run
	images map[v1.Hash]pulled
}

// Start plays a node until Stop.
func Start(ctx context.Context, options Options) (*Node, error) {
	admin, err := client.New(options.Cluster.Config(), client.Options{})
	if err != nil {
		return nil, err
	}
	n := &Node{
		Options: options, admin: admin, ended: make(chan struct{}), runs: map[types.UID]*run{},
		images: map[v1.Hash]pulled{},
	}
	n.logs = httptest.NewTLSServer(http.HandlerFunc(n.serveLogs))
	if err := n.register(ctx); err != nil {
		n.logs.Close()
		return nil, err
	}
	ctx, n.stop = context.WithCancel(context.WithoutCancel(ctx))
	go n.loop(ctx)
	return n, nil
}

// Stop ends all Pods' processes, and leaves the Pods.
func (n *Node) Stop() {
	n.stop()
	<-n.ended
	n.logs.Close()
}

// register makes the Node with the address at which it tells logs.
func (n *Node) register(ctx context.Context) error {
	_, port, err := net.SplitHostPort(n.logs.Listener.Addr().String())
	if err != nil {
		return err
	}
	number, err := strconv.ParseInt(port, 10, 32)
	if err != nil {
		return err
	}
	object := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: nodeName}}
	if err := n.admin.Create(ctx, object); err != nil {
		return fmt.Errorf("registering the node: %w", err)
	}
	object.Status = corev1.NodeStatus{
		Addresses:       []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "127.0.0.1"}},
		DaemonEndpoints: corev1.NodeDaemonEndpoints{KubeletEndpoint: corev1.DaemonEndpoint{Port: int32(number)}},
		Conditions:      []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
	}
	return n.admin.Status().Update(ctx, object)
}

// serveLogs answers what the API server asks for kubectl logs: /containerLogs/NAMESPACE/POD/CONTAINER.
func (n *Node) serveLogs(w http.ResponseWriter, r *http.Request) {
	parts := strings.Split(r.URL.Path, "/")
	if len(parts) != 5 || parts[1] != "containerLogs" || !filepath.IsLocal(parts[3]) {
		http.NotFound(w, r)
		return
	}
	http.ServeFile(w, r, n.logOf(parts[3]))
}

func (n *Node) logOf(pod string) string { return filepath.Join(n.Folder, pod+".log") }

func (n *Node) loop(ctx context.Context) {
	defer close(n.ended)
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			for _, run := range n.runs {
				run.end()
			}
			return
		case <-ticker.C:
			if err := n.pass(ctx); err != nil && ctx.Err() == nil {
				fmt.Fprintln(os.Stderr, "node:", err)
			}
		}
	}
}

// pass looks at all Pods once.
func (n *Node) pass(ctx context.Context) error {
	pods := &corev1.PodList{}
	if err := n.admin.List(ctx, pods, client.InNamespace(n.Namespace)); err != nil {
		return err
	}
	var errs error
	seen := map[types.UID]bool{}
	for i := range pods.Items {
		pod := &pods.Items[i]
		seen[pod.UID] = true
		if err := n.lookAt(ctx, pod); err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			errs = errors.Join(errs, fmt.Errorf("pod %s: %w", pod.Name, err))
		}
	}
	for uid, run := range n.runs {
		if !seen[uid] {
			run.end()
			delete(n.runs, uid)
		}
	}
	return errs
}

// lookAt does for one Pod what comes next.
func (n *Node) lookAt(ctx context.Context, pod *corev1.Pod) error {
	running := n.runs[pod.UID]
	switch {
	case !pod.DeletionTimestamp.IsZero():
		if running != nil {
			running.end()
			delete(n.runs, pod.UID)
		}
		return n.admin.Delete(ctx, pod, client.GracePeriodSeconds(0))
	case pod.Spec.NodeName == "":
		binding := &corev1.Binding{Target: corev1.ObjectReference{Kind: "Node", Name: nodeName}}
		return n.admin.SubResource("binding").Create(ctx, pod, binding)
	case running == nil:
		started, err := n.start(ctx, pod)
		if err != nil {
			return n.tell(ctx, pod, waiting(err))
		}
		n.runs[pod.UID] = started
		return nil
	default:
		return n.tell(ctx, pod, running.status(ctx))
	}
}

// tell writes a status where it differs.
func (n *Node) tell(ctx context.Context, pod *corev1.Pod, ready status) error {
	former := pod.Status.DeepCopy()
	pod.Status.Phase = ready.phase
	pod.Status.ContainerStatuses = []corev1.ContainerStatus{ready.container}
	pod.Status.ContainerStatuses[0].Name = pod.Spec.Containers[0].Name
	pod.Status.ContainerStatuses[0].Image = pod.Spec.Containers[0].Image
	pod.Status.Conditions = nil
	for _, kind := range []corev1.PodConditionType{corev1.PodScheduled, corev1.ContainersReady, corev1.PodReady} {
		is := corev1.ConditionFalse
		if ready.container.Ready || kind == corev1.PodScheduled {
			is = corev1.ConditionTrue
		}
		pod.Status.Conditions = append(pod.Status.Conditions, corev1.PodCondition{Type: kind, Status: is})
	}
	if sameStatus(former, &pod.Status) {
		return nil
	}
	return n.admin.Status().Update(ctx, pod)
}

func sameStatus(a, b *corev1.PodStatus) bool {
	if a.Phase != b.Phase || len(a.ContainerStatuses) != 1 || len(a.Conditions) != len(b.Conditions) {
		return false
	}
	x, y := a.ContainerStatuses[0], b.ContainerStatuses[0]
	reason := func(s corev1.ContainerStatus) string {
		if s.State.Waiting == nil {
			return ""
		}
		return s.State.Waiting.Message
	}
	return x.Ready == y.Ready && x.RestartCount == y.RestartCount && reason(x) == reason(y)
}

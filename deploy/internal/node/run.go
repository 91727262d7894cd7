package node

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/vitistack/kubevirt-multicluster/deploy/internal/pod"
)

// backOff is how long a container that ended stays so.
const backOff = 2 * time.Second

// grace is how long a container may take to end.
const grace = 30 * time.Second

// status is what a Pod's status is made of.
type status struct {
	phase     corev1.PodPhase
	container corev1.ContainerStatus
}

// waiting is the status of a container that cannot be started.
func waiting(err error) status {
	return status{corev1.PodPending, corev1.ContainerStatus{State: corev1.ContainerState{
		Waiting: &corev1.ContainerStateWaiting{Reason: "CreateContainerError", Message: err.Error()},
	}}}
}

// A run is a Pod whose container was started.
type run struct {
	container pod.Container
	log       string
	probe     string // the URL of its readiness
	restarts  int32
	command   *exec.Cmd
	ended     chan struct{}
	since     time.Time // when it ended
}

// start prepares what the Pod's container needs, and starts it.
func (n *Node) start(ctx context.Context, of *corev1.Pod) (*run, error) {
	container := of.Spec.Containers[0]
	image, err := n.pull(ctx, container.Image)
	if err != nil {
		return nil, err
	}
	mounts, err := n.mounts(ctx, of)
	if err != nil {
		return nil, err
	}
	env, err := n.env(of)
	if err != nil {
		return nil, err
	}
	probes, err := freeAddress()
	if err != nil {
		return nil, err
	}
	spec := of.Spec.SecurityContext
	// Two Pods on one machine would want one port.
	ports := []string{"--metrics-bind-address=127.0.0.1:0", "--health-probe-bind-address=" + probes}
	if slices.ContainsFunc(container.Args, func(arg string) bool { return strings.HasPrefix(arg, "--page-bind-address=") }) {
		ports = append(ports, "--page-bind-address=127.0.0.1:0")
	}
	r := &run{
		container: pod.Container{
			Root: image.root, Env: env, Mounts: mounts, User: int(*spec.RunAsUser), Group: int(*spec.RunAsGroup),
			Args: slices.Concat(image.entrypoint, container.Args, ports),
		},
		log: n.logOf(of.Name), probe: "http://" + probes + "/readyz",
	}
	return r, r.begin()
}

// freeAddress is one that nobody listens at.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

// begin starts the process.
func (r *run) begin() error {
	command, err := r.container.Command(context.Background())
	if err != nil {
		return err
	}
	log, err := os.OpenFile(r.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	command.Stdout, command.Stderr = log, log
	if err := command.Start(); err != nil {
		return err
	}
	r.command, r.ended = command, make(chan struct{})
	go func() {
		defer close(r.ended)
		_ = command.Wait()
		r.since = time.Now()
	}()
	return nil
}

// status asks the probe, and starts again what has ended.
func (r *run) status(ctx context.Context) status {
	select {
	case <-r.ended:
		if time.Since(r.since) < backOff {
			break
		}
		r.restarts++
		if err := r.begin(); err != nil {
			return waiting(err)
		}
	default:
	}
	return status{corev1.PodRunning, corev1.ContainerStatus{
		Ready: r.ready(ctx), RestartCount: r.restarts,
		State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
	}}
}

func (r *run) ready(ctx context.Context) bool {
	ctx, stop := context.WithTimeout(ctx, time.Second)
	defer stop()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.probe, nil)
	if err != nil {
		return false
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return false
	}
	_ = response.Body.Close()
	return response.StatusCode == http.StatusOK
}

// end lets the process end, as a kubelet would.
func (r *run) end() {
	_ = r.command.Process.Signal(syscall.SIGTERM)
	select {
	case <-r.ended:
	case <-time.After(grace):
		_ = r.command.Process.Kill()
		<-r.ended
	}
}

// env is the container's environment.
func (n *Node) env(of *corev1.Pod) ([]string, error) {
	host, port, err := net.SplitHostPort(n.Cluster.Addr())
	if err != nil {
		return nil, err
	}
	env := []string{"KUBERNETES_SERVICE_HOST=" + host, "KUBERNETES_SERVICE_PORT=" + port, "HOSTNAME=" + of.Name}
	for _, variable := range of.Spec.Containers[0].Env {
		value := variable.Value
		if from := variable.ValueFrom; from != nil {
			if from.FieldRef == nil || from.FieldRef.FieldPath != "metadata.namespace" {
				return nil, fmt.Errorf("the variable %s comes from where this node cannot look", variable.Name)
			}
			value = of.Namespace
		}
		env = append(env, variable.Name+"="+value)
	}
	return env, nil
}

// folder makes a folder that other users can walk through.
func folder(parts ...string) (string, error) {
	path := filepath.Join(parts...)
	return path, os.MkdirAll(path, 0o755)
}

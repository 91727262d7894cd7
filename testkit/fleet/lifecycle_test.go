package fleet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestRemotes ends and starts remotes side by side, each in its own ways.
func TestRemotes(t *testing.T) {
	east, west := shared.Remotes[0], shared.Remotes[1]
	supervisor := shared.Supervisor.PIDs()
	t.Run("side by side", func(t *testing.T) {
		t.Run(east.Name, func(t *testing.T) {
			t.Parallel()
			killAndLaunch(t, east, faults.Fault{Kind: faults.Unauthorized, On: faults.All})
			restoreNoSnapshot(t, east)
			breakAndLaunch(t, east)
		})
		t.Run(west.Name, func(t *testing.T) {
			t.Parallel()
			freezeAndThaw(t, west)
			snapshotAndRestore(t, west)
			if err := errors.Join(west.Freeze(), west.Kill(), west.Launch(t.Context())); err != nil {
				t.Error(err)
			}
			answers(t, west)
		})
	})
	if got := shared.Supervisor.PIDs(); !slices.Equal(got, supervisor) {
		t.Errorf("the supervisor's processes %v became %v", supervisor, got)
	}
}

// TestSupervisorAlone does the same to the supervisor, and looks whether the remotes are left
// alone.
func TestSupervisorAlone(t *testing.T) {
	remotes := map[*Cluster]*rest.Config{}
	pids := map[*Cluster][]int{}
	for _, remote := range shared.Remotes {
		remotes[remote], pids[remote] = operator(t, remote), remote.PIDs()
	}
	alone := func() {
		t.Helper()
		for remote, config := range remotes {
			if got := remote.PIDs(); !slices.Equal(got, pids[remote]) || remote.State() != Running {
				t.Errorf("%s is %s, its processes %v became %v", remote.Name, remote.State(), pids[remote], got)
			}
			if err := identify(t.Context(), config); err != nil {
				t.Errorf("%s: %v", remote.Name, err)
			}
		}
	}
	if err := shared.Supervisor.Freeze(); err != nil {
		t.Fatal(err)
	}
	alone()
	if err := errors.Join(shared.Supervisor.Thaw(), shared.Supervisor.Kill()); err != nil {
		t.Fatal(err)
	}
	alone()
	if err := shared.Supervisor.Launch(t.Context()); err != nil {
		t.Fatal(err)
	}
	snapshotAndRestore(t, shared.Supervisor)
	alone()
}

// killAndLaunch kills a cluster that has a fault, and gives it another one before it starts again.
func killAndLaunch(t *testing.T, c *Cluster, next faults.Fault) {
	config := operator(t, c)
	note := put(t, c, "survives-a-kill")
	slow := faults.Fault{Kind: faults.Latency, Latency: time.Millisecond, On: faults.All}
	if err := c.SetFault(slow); err != nil {
		t.Fatal(err)
	}
	pids := c.PIDs()
	if err := c.Kill(); err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(pids, func(pid int) bool { return !ended(pid) }) || len(c.PIDs()) > 0 {
		t.Errorf("some of %v are alive", pids)
	}
	if err := identify(t.Context(), config); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("through the proxy of a killed cluster: %v, want connection refused", err)
	}
	if c.Fault() != slow {
		t.Errorf("Fault() = %s, want the one to come back, %s", c.Fault(), slow)
	}
	for name, refused := range map[string]error{
		"kill": c.Kill(), "freeze": c.Freeze(), "thaw": c.Thaw(), "rotate": c.Rotate(t.Context(), RotateToken),
	} {
		if refused == nil || !strings.Contains(refused.Error(), c.Name+" is killed") {
			t.Errorf("%s of a killed cluster: %v", name, refused)
		}
	}
	if err := c.SetFault(faults.Fault{Kind: "flood"}); err == nil {
		t.Error("an unknown fault is taken")
	}
	if err := c.SetFault(next); err != nil {
		t.Fatal(err)
	}
	if got := c.Proxy.Fault().Kind; got != faults.Refuse {
		t.Errorf("the proxy of a killed cluster: %s, want refuse", got)
	}

	if err := c.Launch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := c.Proxy.Fault(); got != next {
		t.Errorf("the proxy of a started cluster: %s, want %s", got, next)
	}
	if err := c.SetFault(faults.Fault{}); err != nil {
		t.Fatal(err)
	}
	answers(t, c)
	if err := c.Client().Get(t.Context(), client.ObjectKeyFromObject(note), note); err != nil {
		t.Errorf("what was stored before: %v", err)
	}
}

func freezeAndThaw(t *testing.T, c *Cluster) {
	if err := c.Freeze(); err != nil {
		t.Fatal(err)
	}
	if got := c.State(); got != Frozen {
		t.Errorf("State() = %s", got)
	}
	config := operator(t, c)
	config.Timeout = 500 * time.Millisecond
	if err := identify(t.Context(), config); err == nil || errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("a frozen cluster: %v, want no answer", err)
	}
	if err := c.Thaw(); err != nil {
		t.Fatal(err)
	}
	answers(t, c)
}

func snapshotAndRestore(t *testing.T, c *Cluster) {
	file := filepath.Join(t.TempDir(), "snapshot.db")
	before := put(t, c, "before-the-snapshot")
	if err := c.Snapshot(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	after := put(t, c, "after-the-snapshot")
	if err := c.Restore(t.Context(), file, controlplane.RestoreOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := c.Client().Get(t.Context(), client.ObjectKeyFromObject(before), before); err != nil {
		t.Errorf("what the snapshot holds: %v", err)
	}
	if err := c.Client().Get(t.Context(), client.ObjectKeyFromObject(after), after); !apierrors.IsNotFound(err) {
		t.Errorf("what came after the snapshot: %v, want not found", err)
	}
	answers(t, c)
	if err := c.Snapshot(t.Context(), file); !errors.Is(err, os.ErrExist) {
		t.Errorf("a snapshot over a file: %v", err)
	}
}

func restoreNoSnapshot(t *testing.T, c *Cluster) {
	garbage := filepath.Join(t.TempDir(), "garbage")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("no snapshot ", 1000)), 0o600); err != nil {
		t.Fatal(err)
	}
	pids, agent := c.PIDs(), c.KubeVirt.Agent()
	for _, file := range []string{garbage, filepath.Join(t.TempDir(), "absent")} {
		if err := c.Restore(t.Context(), file, controlplane.RestoreOptions{}); err == nil ||
			strings.Contains(err.Error(), "\n") {
			t.Errorf("Restore(%s) = %v, want an error of one line", file, err)
		}
		if !slices.Equal(c.PIDs(), pids) || c.KubeVirt.Agent() != agent || c.State() != Running {
			t.Errorf("the cluster is not as it was: %s, %v", c.State(), c.PIDs())
		}
		answers(t, c)
	}
}

// breakAndLaunch is about a server that ends by itself, and about a start that fails: neither may
// leave a cluster that can be neither started nor killed.
func breakAndLaunch(t *testing.T, c *Cluster) {
	if err := syscall.Kill(c.ControlPlane.PIDs()[1], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	eventually.Eventually(t, patience, "the end of the server is seen", func(context.Context) error {
		if state := c.State(); state != Broken {
			return fmt.Errorf("the cluster is %s", state)
		}
		return nil
	})
	if err := c.Kill(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Launch(ctx); err == nil {
		t.Error("a start that was called off succeeded")
	}
	if c.State() != Killed || len(c.PIDs()) > 0 {
		t.Errorf("afterwards it is %s with processes %v", c.State(), c.PIDs())
	}
	if err := c.Launch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := c.State(); got != Running {
		t.Errorf("State() = %s", got)
	}
	answers(t, c)
}

// answers fails the test unless the operator gets through to the cluster.
func answers(t *testing.T, c *Cluster) {
	t.Helper()
	if err := identify(t.Context(), operator(t, c)); err != nil {
		t.Errorf("through the proxy of %s: %v", c.Name, err)
	}
}

// put stores a ConfigMap.
func put(t *testing.T, c *Cluster, name string) *corev1.ConfigMap {
	t.Helper()
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "default"}}
	if err := c.Client().Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	return object
}

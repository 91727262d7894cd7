package kubevirt_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/agent"
)

// TestLives takes one cluster of each mode through all that can befall it, one after the other.
func TestLives(t *testing.T) {
	for _, mode := range []kubevirt.Mode{kubevirt.Real, kubevirt.Light} {
		t.Run(mode.String(), func(t *testing.T) {
			w := &world{}
			t.Cleanup(w.stop)
			audit := filepath.Join(t.TempDir(), "audit.log")
			started := time.Now()
			on := controlplane.Options{Name: "life-" + mode.String(), AuditLog: audit}
			if err := w.startOn(t.Context(), on, kubevirt.Options{Mode: mode}); err != nil {
				t.Fatal(err)
			}
			t.Logf("up after %v", time.Since(started).Round(time.Millisecond))

			if mode == kubevirt.Light {
				t.Run("many machines", func(t *testing.T) { testManyMachines(t, w, audit) })
			}
			t.Run("frozen", func(t *testing.T) { testFreeze(t, w) })
			if mode == kubevirt.Real {
				t.Run("programs killed", func(t *testing.T) { testProgramsKilled(t, w) })
			}
			t.Run("API server restarted", func(t *testing.T) { testAPIServerRestarted(t, w) })
			t.Run("all killed", func(t *testing.T) { testKillAndLaunch(t, w) })
			if mode == kubevirt.Real {
				t.Run("program broken", func(t *testing.T) { testBrokenProgram(t, w) })
			}
			if mode == kubevirt.Light {
				t.Run("leaks", func(t *testing.T) { testNothingLeaks(t, w) })
			}
		})
	}
}

func testFreeze(t *testing.T, w *world) {
	if err := w.stack.Freeze(); err != nil {
		t.Fatal(err)
	}
	vm := machine(metav1.NamespaceDefault, "frozen")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	err := w.client.Create(ctx, vm.DeepCopy())
	switch {
	case w.stack.Mode() == kubevirt.Real && err == nil:
		t.Error("a frozen virt-api answered")
	case w.stack.Mode() == kubevirt.Light && err != nil:
		t.Fatal(err)
	case w.stack.Mode() == kubevirt.Light:
		<-ctx.Done() // long enough for an agent that is not frozen
		if err := w.client.Get(t.Context(), client.ObjectKeyFromObject(vm), vm); err != nil ||
			vm.Status.PrintableStatus != "" {
			t.Errorf("a frozen agent wrote %q (%v)", vm.Status.PrintableStatus, err)
		}
	}
	if err := w.stack.Thaw(); err != nil {
		t.Fatal(err)
	}
	w.insist(t, vm)
}

// virt-controller ends itself where it loses its lease; something must start it again.
func testProgramsKilled(t *testing.T, w *world) {
	pids := w.stack.PIDs()
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	eventually.Eventually(t, patience, "the programs are started again", func(context.Context) error {
		for i, pid := range w.stack.PIDs() {
			if pid == pids[i] {
				return fmt.Errorf("%d was not replaced", pid)
			}
		}
		return nil
	})
	if err := w.stack.Launch(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.insist(t, machine(metav1.NamespaceDefault, "after-programs"))
}

// The control plane alone dies, and comes back at its own time: whoever watches must find back
// without help.
func testAPIServerRestarted(t *testing.T, w *world) {
	if err := w.cluster.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := w.cluster.Launch(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.insist(t, machine(metav1.NamespaceDefault, "after-restart"))
}

func testKillAndLaunch(t *testing.T, w *world) {
	before := machine(metav1.NamespaceDefault, "before")
	w.create(t, before)
	first := w.guest(t, before, kubevirtv1.Running)
	w.wantDown(t)
	started := time.Now()
	if err := w.cluster.Launch(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second one finds everything running
		if err := w.stack.Launch(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("back after %v", time.Since(started).Round(time.Millisecond))

	w.wantVisible(t, before, "a machine of before still runs", running("before"))
	if again := w.guest(t, before, kubevirtv1.Running); again.UID != first.UID {
		t.Error("its guest was replaced")
	}
	w.insist(t, machine(metav1.NamespaceDefault, "after"))
	w.delete(t, before)
	w.gone(t, before, first)
}

// wantDown kills the cluster with all that runs on it.
func (w *world) wantDown(t *testing.T) {
	t.Helper()
	pids := w.stack.PIDs()
	if err := w.cluster.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := w.stack.Kill(); err != nil {
		t.Fatal(err)
	}
	for _, pid := range pids {
		if err := syscall.Kill(pid, 0); err == nil {
			t.Errorf("process %d lives", pid)
		}
	}
	if w.stack.Running() || w.stack.Agent() != nil || len(w.stack.PIDs()) != 0 {
		t.Error("a killed stack says that it runs")
	}
}

// insist creates a virtual machine, in as many tries as it takes, and waits until its guest runs.
func (w *world) insist(t *testing.T, vm *kubevirtv1.VirtualMachine) {
	t.Helper()
	eventually.Eventually(t, patience, "the virtual machine is taken: "+vm.Name, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, 15*time.Second)
		defer cancel()
		fresh := vm.DeepCopy()
		fresh.ResourceVersion, fresh.UID = "", ""
		err := w.client.Create(ctx, fresh)
		if apierrors.IsAlreadyExists(err) {
			return nil
		}
		return err
	})
	w.guest(t, vm, kubevirtv1.Running)
}

// A start that fails must say why, and leave nothing behind.
func testBrokenProgram(t *testing.T, w *world) {
	if err := w.stack.Kill(); err != nil {
		t.Fatal(err)
	}
	binaries, err := kubevirt.FindBinaries()
	if err != nil {
		t.Fatal(err)
	}
	binaries.API = filepath.Join(t.TempDir(), "virt-api")
	if err := os.WriteFile(binaries.API, []byte("#!/bin/sh\necho no such luck; exit 3"), 0o700); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
	defer cancel()
	if _, err := kubevirt.Start(ctx, w.cluster, kubevirt.Options{Binaries: &binaries}); err == nil {
		t.Fatal("it started")
	} else if !strings.Contains(err.Error(), "virt-api ended (exit status 3): no such luck") {
		t.Errorf("the error does not say why: %v", err)
	}
	if children := descendants(t); len(children) > 0 {
		t.Errorf("left behind: %q", children)
	}
}

// descendants are the command lines of KubeVirt's programs that are children of this process and
// talk to a life-real cluster.
func descendants(t *testing.T) []string {
	t.Helper()
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, line := range lines {
		content, err := os.ReadFile(line)
		if err == nil && strings.Contains(string(content), "life-real") &&
			strings.Contains(string(content), "/kubevirt/virt-") {
			found = append(found, string(content))
		}
	}
	return found
}

func TestBinariesAreMissing(t *testing.T) {
	t.Setenv("KUBEVIRT_MULTICLUSTER_CACHE", t.TempDir())
	_, err := kubevirt.Start(t.Context(), worlds[kubevirt.Light].cluster, kubevirt.Options{})
	if err == nil || !strings.Contains(err.Error(), "run `make tools`") {
		t.Errorf("what is missing is to be made, not passed over: %v", err)
	}
}

func testNothingLeaks(t *testing.T, w *world) {
	if err := w.stack.Kill(); err != nil {
		t.Fatal(err)
	}
	before := goleak.IgnoreCurrent()
	for range 3 {
		a, err := agent.Start(t.Context(), agent.Options{Cluster: "again", Config: w.cluster.Config(), Light: true})
		if err != nil {
			t.Fatal(err)
		}
		a.Freeze()
		a.Stop()
		a.Stop()
	}
	goleak.VerifyNone(t, before)
}

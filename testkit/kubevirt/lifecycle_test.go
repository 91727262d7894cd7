package kubevirt_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/agent"
)

// own is a world for one test.
func own(t *testing.T, mode kubevirt.Mode) *world {
	t.Helper()
	w := &world{}
	t.Cleanup(w.stop)
	started := time.Now()
	if err := w.start(t.Context(), kubevirt.Options{Mode: mode}); err != nil {
		t.Fatal(err)
	}
	t.Logf("%s cluster up after %v", mode, time.Since(started).Round(time.Millisecond))
	return w
}

func TestKillAndLaunch(t *testing.T) {
	for _, mode := range []kubevirt.Mode{kubevirt.Real, kubevirt.Light} {
		t.Run(mode.String(), func(t *testing.T) {
			w := own(t, mode)
			before := machine(metav1.NamespaceDefault, "before")
			w.create(t, before)
			first := w.guest(t, before, kubevirtv1.Running)
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
			after := machine(metav1.NamespaceDefault, "after")
			w.create(t, after)
			w.guest(t, after, kubevirtv1.Running)
			w.delete(t, before)
			w.gone(t, before, first)
		})
	}
}

// The API server alone dies, and comes back at its own time: whoever watches must find back without help.
func TestAPIServerRestarts(t *testing.T) {
	inOwn(t, func(t *testing.T, w *world) {
		if err := w.cluster.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := w.cluster.Launch(t.Context()); err != nil {
			t.Fatal(err)
		}
		vm := machine(metav1.NamespaceDefault, "vm")
		eventually(t, func(ctx context.Context) error {
			err := w.client.Create(ctx, vm.DeepCopy())
			if apierrors.IsAlreadyExists(err) {
				return nil
			}
			return err
		})
		w.guest(t, vm, kubevirtv1.Running)
	})
}

func TestFreeze(t *testing.T) {
	inOwn(t, func(t *testing.T, w *world) {
		if err := w.stack.Freeze(); err != nil {
			t.Fatal(err)
		}
		vm := machine(metav1.NamespaceDefault, "vm")
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		err := w.client.Create(ctx, vm.DeepCopy())
		if w.stack.Mode() == kubevirt.Real && err == nil {
			t.Error("a frozen virt-api answered")
		}
		if w.stack.Mode() == kubevirt.Light {
			if err != nil {
				t.Fatal(err)
			}
			<-ctx.Done() // long enough for an agent that is not frozen
			if err := w.client.Get(t.Context(), client.ObjectKeyFromObject(vm), vm); err != nil || vm.Status.PrintableStatus != "" {
				t.Errorf("a frozen agent wrote %q (%v)", vm.Status.PrintableStatus, err)
			}
		}
		if err := w.stack.Thaw(); err != nil {
			t.Fatal(err)
		}
		eventually(t, func(ctx context.Context) error {
			err := w.client.Create(ctx, machine(metav1.NamespaceDefault, "vm"))
			if apierrors.IsAlreadyExists(err) {
				return nil
			}
			return err
		})
		w.guest(t, vm, kubevirtv1.Running)
	})
}

// virt-controller ends itself where it loses its lease; something must start it again.
func TestProgramsAreRestarted(t *testing.T) {
	w := own(t, kubevirt.Real)
	pids := w.stack.PIDs()
	for _, pid := range pids {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, func(context.Context) error {
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
	vm := machine(metav1.NamespaceDefault, "vm")
	w.create(t, vm)
	w.guest(t, vm, kubevirtv1.Running)
}

func inOwn(t *testing.T, test func(t *testing.T, w *world)) {
	for _, mode := range []kubevirt.Mode{kubevirt.Real, kubevirt.Light} {
		t.Run(mode.String(), func(t *testing.T) { test(t, own(t, mode)) })
	}
}

func TestNothingLeaks(t *testing.T) {
	w := own(t, kubevirt.Light)
	if err := w.stack.Kill(); err != nil {
		t.Fatal(err)
	}
	before := goleak.IgnoreCurrent()
	for range 3 {
		config := w.cluster.Config()
		a, err := agent.Start(t.Context(), agent.Options{Cluster: "again", Config: config, Light: true})
		if err != nil {
			t.Fatal(err)
		}
		a.Freeze()
		a.Stop()
		a.Stop()
	}
	goleak.VerifyNone(t, before)
}

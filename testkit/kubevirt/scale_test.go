package kubevirt_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"

	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// A machine costs the agent of a light cluster these writes: its finalizer and its status, its
// guest's creation and its guest's report. A hundred of them must not cost more, nor one read: what
// the agent looks at is in its caches.
const writesPerMachine = 4

func testManyMachines(t *testing.T, w *world, log string) {
	const machines = 100
	started := time.Now()
	group, ctx := errgroup.WithContext(t.Context())
	group.SetLimit(8)
	for i := range machines {
		group.Go(func() error { return w.client.Create(ctx, machine(metav1.NamespaceDefault, fmt.Sprintf("vm-%03d", i))) })
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	created := time.Since(started)
	w.waitReady(t, machines)
	took := time.Since(started)
	t.Logf("%d machines were created after %v and ran after %v: %.0f a second",
		machines, created.Round(time.Millisecond), took.Round(time.Millisecond), machines/took.Seconds())
	w.wantDistinctAddresses(t)

	writes, reads := calls(t, log)
	t.Logf("%d writes, %d reads of the agent", writes, reads)
	const conflicts = machines / 4 // a status that was written on an older state is written again
	if limit := writesPerMachine*machines + conflicts; writes > limit {
		t.Errorf("%d writes for %d machines, at most %d are right", writes, machines, limit)
	}
	if reads > 0 {
		t.Errorf("%d reads that no cache answered", reads)
	}
}

// waitReady waits until all virtual machines of the cluster are ready.
func (w *world) waitReady(t *testing.T, machines int) {
	t.Helper()
	eventually.Eventually(t, patience, "all virtual machines are ready", func(ctx context.Context) error {
		all := &kubevirtv1.VirtualMachineList{}
		if err := w.client.List(ctx, all); err != nil {
			return err
		}
		ready := 0
		for i := range all.Items {
			if all.Items[i].Status.Ready {
				ready++
			}
		}
		if ready != machines {
			return fmt.Errorf("%d of %d are ready", ready, machines)
		}
		return nil
	})
}

func (w *world) wantDistinctAddresses(t *testing.T) {
	t.Helper()
	guests := &kubevirtv1.VirtualMachineInstanceList{}
	if err := w.client.List(t.Context(), guests); err != nil {
		t.Fatal(err)
	}
	holders := map[string]string{}
	for _, vmi := range guests.Items {
		for _, nic := range vmi.Status.Interfaces {
			if other := holders[nic.IP]; nic.IP == "" || other != "" {
				t.Errorf("address %q of %s is that of %q", nic.IP, vmi.Name, other)
			}
			holders[nic.IP] = vmi.Name
		}
	}
}

// calls counts what the agent asked of the API server about virtual machines and their guests, by
// its audit log. Lists fill the caches once; only those of one object are reads.
func calls(t *testing.T, log string) (writes, reads int) {
	t.Helper()
	all, err := audit.Read(log, audit.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, call := range all {
		ours := strings.HasSuffix(call.User, ":kubevirt-handler") && strings.HasPrefix(call.Resource, "virtualmachine")
		switch {
		case !ours:
		case call.Verb == "get" || call.Verb == "list" && call.Name != "":
			reads++
		case call.Writes():
			writes++
		}
	}
	return writes, reads
}

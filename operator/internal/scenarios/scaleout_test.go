package scenarios

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

const leaseNamespace = "kubevirt-operator"

// leader is who holds the lease, "" for nobody.
func leader(t *testing.T) string {
	t.Helper()
	lease := &coordinationv1.Lease{}
	err := supervisor().Get(t.Context(), client.ObjectKey{Namespace: leaseNamespace, Name: "09393f52.vitistack.io"}, lease)
	if client.IgnoreNotFound(err) != nil {
		t.Fatal(err)
	}
	if err != nil || lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

// TestHandOver: the one that leads is told to end, and the other goes on at once; then it is
// killed, and a third one waits for the lease to run out. No Machine gets a second virtual machine,
// however close the two come.
func TestHandOver(t *testing.T) {
	ns := namespace(t, "hand-over")
	elect := []string{"--leader-elect", "--leader-election-namespace=" + leaseNamespace}
	first := startWith(t, elect)
	eventually(t, patience, func() string {
		if leader(t) == "" {
			return "nobody leads"
		}
		return ""
	})
	second := startWith(t, elect)
	former, count := leader(t), 0
	burst := func() {
		t.Helper()
		for range 20 {
			create(t, machine(ns, fmt.Sprintf("m%02d", count), world.fleet.Remotes[count%3].Name))
			count++
		}
	}
	burst()
	eventually(t, patience, func() string {
		if countVMs(t, ns) == 0 {
			return "nothing is made"
		}
		return ""
	})
	took := func(signal syscall.Signal, p *program) time.Duration {
		t.Helper()
		p.stop(t, signal)
		began := time.Now()
		if held := leader(t) == former; held != (signal == syscall.SIGKILL) {
			t.Errorf("after signal %v the lease is held: %t", signal, held)
		}
		eventually(t, patience, func() string {
			if now := leader(t); now == "" || now == former {
				return "nobody took over from " + former
			}
			return ""
		})
		former = leader(t)
		return time.Since(began)
	}
	began := time.Now()
	released := took(syscall.SIGTERM, first)
	t.Logf("SIGTERM to the next leader: %s, of which after the end of the former: %s", time.Since(began), released)
	burst()
	third := startWith(t, elect)
	burst()
	expired := took(syscall.SIGKILL, second)
	t.Logf("SIGKILL to the next leader: %s", expired)
	eventually(t, 3*patience, func() string {
		for i := range count {
			m := machine(ns, fmt.Sprintf("m%02d", i), "")
			if why := notRunning(t, m, world.fleet.Remotes[i%3].Name); why != "" {
				return why
			}
		}
		return ""
	})
	if got := countVMs(t, ns); got != count {
		t.Errorf("%d virtual machines of %d Machines", got, count)
	}
	third.stop(t, syscall.SIGTERM)
}

// TestShards: each of two deployments looks after the Machines of its labels alone, and nobody
// after those of other providers.
func TestShards(t *testing.T) {
	ns := namespace(t, "shards")
	labelled := func(name, shard string) *vitistackv1alpha1.Machine {
		m := machine(ns, name, "cluster-north")
		m.Labels = map[string]string{"shard": shard}
		return m
	}
	a, b, c := labelled("a", "a"), labelled("b", "b"), labelled("c", "c")
	other := labelled("other", "a")
	other.Spec.Provider = "proxmox"
	for _, m := range []*vitistackv1alpha1.Machine{other, c, a, b} {
		create(t, m)
	}
	startWith(t, []string{"--watch-selector=shard=a", "--write-config-status"})
	startWith(t, []string{"--watch-selector=shard=b"})
	eventually(t, patience, func() string { return notRunning(t, a, "cluster-north") + notRunning(t, b, "cluster-north") })
	for _, m := range []*vitistackv1alpha1.Machine{c, other} {
		if now := read(t, m); now.ResourceVersion != m.ResourceVersion {
			t.Errorf("%s is nobody's and was touched: %+v", m.Name, now)
		}
	}
	eventually(t, patience, func() string {
		config := &vitistackv1alpha1.KubevirtConfig{}
		if err := supervisor().Get(t.Context(), client.ObjectKey{Namespace: "kubevirt-configs", Name: "cluster-north"},
			config); err != nil {
			t.Fatal(err)
		}
		if config.Status.Machines == nil || *config.Status.Machines < 2 {
			return fmt.Sprintf("the config counts %v Machines: those of the other shard are missing", config.Status.Machines)
		}
		return ""
	})
}

package agent

import (
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

func TestClaims(t *testing.T) {
	c := newClaims()
	if owner := c.claim("mac", "first"); owner != "first" {
		t.Errorf("the first to claim holds it, not %s", owner)
	}
	if owner := c.claim("mac", "second"); owner != "first" {
		t.Errorf("the second does not hold it, but %s", owner)
	}
	c.claim("other", "first")
	c.release("second") // holds nothing
	c.release("first")
	for _, thing := range []string{"mac", "other"} {
		if owner := c.claim(thing, "second"); owner != "second" {
			t.Errorf("%s is held by %s after its release", thing, owner)
		}
	}
}

// Addresses are few enough to collide: each Pod must get one of its own all the same, and the same
// one each time it asks.
func TestPodAddressesAreDistinct(t *testing.T) {
	claims := newClaims()
	var mu sync.Mutex
	holders := map[netip.Addr]types.UID{}
	var group sync.WaitGroup
	for worker := range 8 {
		group.Go(func() {
			for i := range 2000 {
				uid := types.UID(fmt.Sprintf("%d-%d", worker, i))
				address := podAddresses(claims, "cluster", uid)[0]
				if again := podAddresses(claims, "cluster", uid)[0]; again != address {
					t.Errorf("%s has %s and then %s", uid, address, again)
				}
				mu.Lock()
				if other, taken := holders[address]; taken {
					t.Errorf("%s is of %s and of %s", address, other, uid)
				}
				holders[address] = uid
				mu.Unlock()
			}
		})
	}
	group.Wait()
}

func TestSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSchedule()
		if left := s.left("guest", "boot", time.Minute); left != time.Minute {
			t.Errorf("the clock starts at the first question: %v are left", left)
		}
		<-time.After(40 * time.Second)
		if left := s.left("guest", "boot", time.Hour); left != 20*time.Second {
			t.Errorf("it is not set again: %v are left", left)
		}
		<-time.After(time.Hour)
		if left := s.left("guest", "boot", time.Minute); left != 0 {
			t.Errorf("what is over is over: %v are left", left)
		}
		s.forget("guest")
		if left := s.left("guest", "boot", time.Minute); left != time.Minute {
			t.Errorf("what was forgotten starts anew: %v are left", left)
		}
	})
}

func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate()
		if err := g.pass(t.Context()); err != nil {
			t.Fatalf("a new gate is open: %v", err)
		}
		g.close()
		g.close()
		passed := make(chan error, 1)
		go func() { passed <- g.pass(t.Context()) }()
		synctest.Wait()
		select {
		case <-passed:
			t.Error("a closed gate let somebody through")
		default:
		}
		g.open()
		g.open()
		if err := <-passed; err != nil {
			t.Errorf("who waited goes on: %v", err)
		}
	})
}

func TestWaiters(t *testing.T) {
	w := newWaiters()
	secret := need{secretKind, types.NamespacedName{Namespace: "ns", Name: "secret"}}
	other := need{configMapKind, secret.key}
	vm := types.NamespacedName{Namespace: "ns", Name: "vm"}
	w.add(vm, []need{secret, other})
	w.add(vm, []need{secret})
	if got := w.of(secret); len(got) != 1 || got[0] != vm {
		t.Errorf("%v wait for the Secret, not %v", got, vm)
	}
	w.remove(vm, []need{secret})
	if got := w.of(secret); len(got) != 0 {
		t.Errorf("%v wait still", got)
	}
	if got := w.of(other); len(got) != 1 {
		t.Errorf("%v wait for the ConfigMap", got)
	}
}

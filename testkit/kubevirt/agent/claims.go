package agent

import (
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
)

// lockedClaims say who of a cluster holds a thing of which there is one: an address of a network
// interface, or of IP.
type lockedClaims struct {
	mu    sync.Mutex
	owner map[string]types.UID
	held  map[types.UID][]string
}

func newClaims() *lockedClaims {
	return &lockedClaims{owner: map[string]types.UID{}, held: map[types.UID][]string{}}
}

// claim takes thing for uid if nobody holds it, and returns who holds it now.
func (c *lockedClaims) claim(thing string, uid types.UID) types.UID {
	c.mu.Lock()
	defer c.mu.Unlock()
	if owner, taken := c.owner[thing]; taken {
		return owner
	}
	c.owner[thing] = uid
	c.held[uid] = append(c.held[uid], thing)
	return uid
}

// release gives up everything that uid holds.
func (c *lockedClaims) release(uid types.UID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, thing := range c.held[uid] {
		delete(c.owner, thing)
	}
	delete(c.held, uid)
}

// mine says whether a guest is one that crashes while it runs: of CrashOnce the first of its
// VirtualMachine.
func (c *lockedClaims) mine(vmi *kubevirtv1.VirtualMachineInstance, guest Guest) bool {
	switch guest.Crash {
	case CrashAlways:
		return true
	case CrashOnce:
		family := vmi.UID
		if owner := metav1.GetControllerOf(vmi); owner != nil {
			family = owner.UID
		}
		return c.claim(string(family), vmi.UID) == vmi.UID
	default:
		return false
	}
}

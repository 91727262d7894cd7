package wake

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// Copies remembers for which Machines an object with their labels was seen that may be a copy,
// since their last look for copies. The zero value is empty. It is safe for concurrent use.
type Copies struct {
	mu     sync.Mutex
	locked map[types.UID]struct{}
}

// Saw tells of an object with a Machine's labels that is not the one that the Machine's ledger
// names.
func (c *Copies) Saw(machine types.UID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.locked == nil {
		c.locked = map[types.UID]struct{}{}
	}
	c.locked[machine] = struct{}{}
}

// Changed reports whether such an object was seen since the last Looked.
func (c *Copies) Changed(machine types.UID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, changed := c.locked[machine]
	return changed
}

// Looked forgets a Machine: its copies are being looked for.
func (c *Copies) Looked(machine types.UID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.locked, machine)
}

package machine

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// settleTime is how long small changes of a status are gathered after a write. A Machine on its way up goes through many within a second.
const settleTime = time.Second

// pace remembers when each Machine's status was written last, for settleTime.
type pace struct {
	mu     sync.Mutex
	locked map[types.UID]time.Time
}

// wrote tells of a write.
func (p *pace) wrote(uid types.UID, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for old, at := range p.locked {
		if now.Sub(at) >= settleTime {
			delete(p.locked, old)
		}
	}
	if p.locked == nil {
		p.locked = map[types.UID]time.Time{}
	}
	p.locked[uid] = now
}

// remaining is how long a small change has still to wait.
func (p *pace) remaining(uid types.UID, now time.Time) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	at, found := p.locked[uid]
	if !found {
		return 0
	}
	return max(0, settleTime-now.Sub(at))
}

// isSmall says whether a change of a status can wait a moment: one that no person and no program decides by.
func isSmall(before, after vitistackv1alpha1.MachineStatus) bool {
	was, is := before.Condition(vitistackv1alpha1.ConditionReady), after.Condition(vitistackv1alpha1.ConditionReady)
	return was != nil && is != nil && was.Status == is.Status && before.Phase == after.Phase
}

package brake

import (
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// counted is what is known of one Kind.
type counted struct {
	letGo   map[types.UID]Entry // within the window
	waiting map[types.NamespacedName]waiter
	past    map[string]any // what the Book still has and that is over, each nil
}

// waiter is a Machine that asks, or is held.
type waiter struct {
	uid    types.UID
	config string
	since  time.Time // when it asked first
	held   time.Time // since when it is held, zero for not
}

// follow adds who is on the way, and drops who no longer is.
func (c *counted) follow(t *tally) {
	for key, each := range t.going {
		if _, gone := c.letGo[each.uid]; gone {
			continue
		}
		known, found := c.waiting[key]
		if !found || known.uid != each.uid {
			known = waiter{uid: each.uid, config: each.config, since: t.at, held: each.held}
		}
		c.waiting[key] = known
	}
	for key, each := range c.waiting {
		if each.since.After(t.at) {
			continue // it came after the cache was read
		}
		if now, found := t.going[key]; !found || now.uid != each.uid {
			delete(c.waiting, key)
		}
	}
}

// expire drops what was let go before the window. The next entry of the Book drops it there.
func (c *counted) expire(now time.Time, window time.Duration) {
	for uid, entry := range c.letGo {
		if now.Sub(entry.At) >= window {
			delete(c.letGo, uid)
			if entry.written {
				c.past[string(uid)] = nil
			}
		}
	}
}

// counts are those of the scopes of a Machine. Who has waited, or was held, for longer than the window
// counts no longer: it is another occasion.
func (s *lockedState) counts(q Question, now time.Time, window time.Duration) []Count {
	kind := s.kinds[q.Kind]
	all := scopes(q.Config, q.Machine.Namespace)
	counts := make([]Count, len(all))
	for i, scope := range all {
		counts[i] = Count{Scope: scope, Total: s.total(kind, scope), Quiet: window}
	}
	count := func(config, namespace string, in func(*Count)) {
		for i := range counts {
			if counts[i].Scope.has(config, namespace) {
				in(&counts[i])
			}
		}
	}
	for uid, entry := range kind.letGo {
		if uid != q.Machine.UID {
			count(entry.Config, entry.Namespace, func(c *Count) { c.LetGo++ })
		}
	}
	self := client.ObjectKeyFromObject(q.Machine)
	for key, each := range kind.waiting {
		since := each.since
		if !each.held.IsZero() {
			since = each.held
		}
		if key != self && now.Sub(since) >= window {
			continue
		}
		count(each.config, key.Namespace, func(c *Count) {
			c.Waiting++
			c.Quiet = min(c.Quiet, now.Sub(each.since))
		})
	}
	return counts
}

// has reports whether a Machine of a cluster and a namespace is in a Scope.
func (s Scope) has(config, namespace string) bool {
	return s.Of == Fleet || s.Of == Cluster && s.Name == config || s.Of == Namespace && s.Name == namespace
}

// total are the Machines of a Scope, with those that were let go and are gone.
func (s *lockedState) total(kind *counted, scope Scope) int {
	if s.tally == nil {
		return 0
	}
	total := s.tally.totals[scope]
	if kind != s.kinds[Deletion] {
		return total // who was let go to change is still there
	}
	for uid, entry := range kind.letGo {
		if _, there := s.tally.leaving[uid]; !there && scope.has(entry.Config, entry.Namespace) {
			total++
		}
	}
	return total
}

// matters reports whether the brake could ever bite in a scope of the Machine.
func (s *lockedState) matters(q Question, rule Rule) bool {
	if q.Kind != Deletion {
		return false
	}
	for _, scope := range scopes(q.Config, q.Machine.Namespace) {
		if s.total(s.kinds[q.Kind], scope) > rule.Number {
			return true
		}
	}
	return false
}

// bitesAnew reports whether a Scope held none within the window.
func (s *lockedState) bitesAnew(b bite, now time.Time, window time.Duration) bool {
	last, bit := s.bites[b]
	s.bites[b] = now
	return !bit || now.Sub(last) >= window
}

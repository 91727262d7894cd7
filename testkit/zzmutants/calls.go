package observer

import (
	"slices"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
)

// remembered is how long calls are kept for rules that look at more than the last ones.
const remembered = 5 * time.Minute

// called takes in the calls of a cluster's audit log, in the order of their answers.
func (h *lockedHistory) called(cluster string, calls []audit.Call, options Options, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, call := range calls {
		operators := options.isOperators(call.User)
		if creates(call) && changes(call) {
			key := creatorKey(cluster, call.Resource, call.Namespace, call.Name)
			h.creators[key] = append(h.creators[key], creation{User: call.User, At: call.Received})
		}
		switch {
		case operators:
			h.calls[cluster] = append(h.calls[cluster], call)
			h.recent[cluster] = append(h.recent[cluster], call)
		case changes(call):
			h.others[cluster] = append(h.others[cluster], call)
		}
	}
	old := func(c audit.Call) bool { return c.Received.Before(now.Add(-remembered)) }
	h.recent[cluster] = slices.DeleteFunc(h.recent[cluster], old)
	h.others[cluster] = slices.DeleteFunc(h.others[cluster], old)
}

// settled takes out the calls that were answered before a moment and were not taken out before.
func (h *lockedHistory) settled(before time.Time) map[string][]audit.Call {
	h.mu.Lock()
	defer h.mu.Unlock()
	taken := map[string][]audit.Call{}
	for cluster, calls := range h.calls {
		for _, call := range calls {
			if call.Answered.Before(before) {
				taken[cluster] = append(taken[cluster], call)
			}
		}
		h.calls[cluster] = slices.DeleteFunc(calls, func(c audit.Call) bool { return c.Answered.Before(before) })
	}
	return taken
}

package plugin

import "time"

// A history judges a plugin by its past: how long to wait before the next start, and when to leave
// it alone for a long time. It has no clock.
type history struct {
	limits  Limits
	crashes []time.Time // within the window, oldest first
	streak  int         // ends in a row without a stable run between
	terms   int         // quarantines in a row without a stable run between
	trial   bool        // a quarantine is over, and one crash begins the next
}

// maxTermDoublings bounds how long a quarantine can last: 32 times the window of crashes.
const maxTermDoublings = 5

// ran forgets the streak, and that there was a quarantine, if the plugin was ready for long enough.
func (h *history) ran(ready time.Duration) {
	if ready >= h.limits.StableAfter {
		h.streak, h.terms, h.trial = 0, 0, false
	}
}

// ended notes an end: a crash, or only something that could not be had, which never leads to a
// quarantine.
func (h *history) ended(crash bool, now time.Time) {
	if crash {
		h.crashed(now)
	} else {
		h.missed()
	}
}

// crashed notes an end that was the plugin's fault.
func (h *history) crashed(now time.Time) {
	h.streak++
	recent := h.crashes[:0]
	for _, at := range h.crashes {
		if now.Sub(at) < h.limits.CrashWindow {
			recent = append(recent, at)
		}
	}
	h.crashes = append(recent, now)
}

// missed notes a start that did not come to running the plugin's code; only the waiting grows.
func (h *history) missed() { h.streak++ }

// hopeless reports whether the plugin is to be quarantined.
func (h *history) hopeless() bool {
	return len(h.crashes) >= h.limits.Crashes || h.trial && len(h.crashes) > 0
}

// term is how long the quarantine lasts that begins now: twice as long as the one before.
func (h *history) term() time.Duration {
	term := h.limits.CrashWindow << min(h.terms, maxTermDoublings)
	h.terms++
	return term
}

// probe begins the one try after a quarantine.
func (h *history) probe() { h.crashes, h.streak, h.trial = nil, 0, true }

// delay is how long to wait; jitter in [0, 1) adds up to a fifth.
func (h *history) delay(jitter float64) time.Duration {
	delay := h.limits.BackoffMin
	for range h.streak - 1 {
		if delay *= 2; delay >= h.limits.BackoffMax {
			return h.limits.BackoffMax
		}
	}
	return min(delay+time.Duration(jitter*float64(delay)/5), h.limits.BackoffMax)
}

// forget starts anew.
func (h *history) forget() { *h = history{limits: h.limits} }

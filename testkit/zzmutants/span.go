package observer

import (
	"slices"
	"time"
)

// span is a time from From until Until. A zero Until means that it has not ended.
type span struct{ From, Until time.Time }

// until is the end of a span, or now.
func (s span) until(now time.Time) time.Time {
	if s.Until.IsZero() || s.Until.After(now) {
		return now
	}
	return s.Until
}

// common returns the time that two spans share, until now, and whether that is more than nothing.
func (s span) common(other span, now time.Time) (span, bool) {
	from := s.From
	if other.From.After(from) {
		from = other.From
	}
	until := s.until(now)
	if end := other.until(now); end.Before(until) {
		until = end
	}
	return span{From: from, Until: until}, until.After(from)
}

// touches reports whether a span shares any time with from until until.
func (s span) touches(from, until time.Time) bool {
	return !s.From.After(until) && (s.Until.IsZero() || !s.Until.Before(from))
}

// touched reports whether any of the spans shares time with from until until.
func touched(spans []span, from, until time.Time) bool {
	for _, s := range spans {
		if s.touches(from, until) {
			return true
		}
	}
	return false
}

// open begins a span where none is open.
func open(spans []span, at time.Time) []span {
	if n := len(spans); n > 0 && spans[n-1].Until.IsZero() {
		return spans
	}
	return append(spans, span{From: at})
}

// end ends the span that is open.
func end(spans []span, at time.Time) []span {
	if n := len(spans); n > 0 && spans[n-1].Until.IsZero() {
		spans[n-1].Until = at
	}
	return spans
}

// outside returns how much of from until until is in none of the spans.
func outside(spans []span, from, until time.Time) time.Duration {
	sorted := slices.SortedFunc(slices.Values(spans), func(a, b span) int { return a.From.Compare(b.From) })
	left := time.Duration(0)
	for _, s := range sorted {
		if !s.From.Before(until) {
			break
		}
		if s.From.After(from) {
			left += s.From.Sub(from)
		}
		if end := s.until(until); end.After(from) {
			from = end
		}
	}
	return left + max(0, until.Sub(from))
}

package monitoring

import (
	"context"
	"fmt"
	"sync"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/rules"
)

// alerts are what was sent to the Alertmanager: it is the Alertmanager.
type alerts struct {
	mu     sync.Mutex
	locked []sentAlert // in the order in which they were sent first
}

// sentAlert is one alert, from its first firing on.
type sentAlert struct {
	labels, annotations labels.Labels
	firing              bool
	times               int // that it began to fire
}

// note is a rules.NotifyFunc.
func (a *alerts) note(_ context.Context, _ string, sent ...*rules.Alert) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, each := range sent {
		known := a.known(each.Labels)
		firing := each.ResolvedAt.IsZero()
		if firing && !known.firing {
			known.times++
		}
		known.firing, known.annotations = firing, each.Annotations
	}
}

// known is the alert of some labels. The lock is held.
func (a *alerts) known(of labels.Labels) *sentAlert {
	for i := range a.locked {
		if labels.Equal(a.locked[i].labels, of) {
			return &a.locked[i]
		}
	}
	a.locked = append(a.locked, sentAlert{labels: of})
	return &a.locked[len(a.locked)-1]
}

// all are copies of the alerts.
func (a *alerts) all() []sentAlert {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]sentAlert(nil), a.locked...)
}

// subject is what an alert is about: its name, and the values of the labels that matter.
type subject struct {
	alert string
	// label and value tell one alert of a rule from another; "" where there is one alone.
	label, value string
}

func (s subject) String() string { return fmt.Sprintf("%s{%s=%q}", s.alert, s.label, s.value) }

// of reports whether an alert is about the subject.
func (s subject) of(of labels.Labels) bool {
	return of.Get(labels.AlertName) == s.alert && (s.label == "" || of.Get(s.label) == s.value)
}

// find is the alert of a subject that fires, or else the last one that did.
func (a *alerts) find(s subject) (found sentAlert, ever bool) {
	for _, each := range a.all() {
		if s.of(each.labels) && (!ever || each.firing) {
			found, ever = each, true
		}
	}
	return found, ever
}

// Package summary says in a status and in Events how far a work on many Machines is. It is pure.
//
//	status.Conditions = summary.Conditions(status.Conditions, summary.Said{Ready: over, …}, now)
package summary

import (
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

const (
	// MaxNote is the longest note that the API server takes in an Event, in bytes.
	MaxNote = 1024
	// maxNamed bounds the names in a message.
	maxNamed = 5
)

// Said is what both conditions say.
type Said struct {
	// Ready says that all is done, Stalled that nothing goes on until a person acts.
	Ready, Stalled bool
	// Reason and Message are those of both.
	Reason, Message string
	// Generation is the metadata.generation that is spoken of.
	Generation int64
}

// Conditions are Ready and Stalled in this order, with the time of their last change. former is not
// changed.
func Conditions(former []metav1.Condition, said Said, now time.Time) []metav1.Condition {
	status := map[bool]metav1.ConditionStatus{true: metav1.ConditionTrue, false: metav1.ConditionFalse}
	next := append([]metav1.Condition{}, former...)
	for _, each := range []struct {
		kind string
		is   bool
	}{{vitistackv1alpha1.ConditionReady, said.Ready}, {vitistackv1alpha1.ConditionStalled, said.Stalled}} {
		meta.SetStatusCondition(&next, metav1.Condition{Type: each.kind, Status: status[each.is], Reason: said.Reason,
			Message: said.Message, ObservedGeneration: said.Generation,
			LastTransitionTime: metav1.NewTime(now.Truncate(time.Second))})
	}
	return next
}

// Few joins the first names, in the order in which they are given.
func Few(names []string) string {
	if len(names) > maxNamed {
		return strings.Join(names[:maxNamed], ", ") + " and others"
	}
	return strings.Join(names, ", ")
}

// Cut shortens a text to at most so many bytes. What is left out is marked.
func Cut(text string, most int) string {
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most-len("…")], "") + "…"
}

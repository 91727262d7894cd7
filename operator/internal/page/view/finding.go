package view

import (
	"strings"
	"time"
	"unicode/utf8"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

const (
	// MaxText is the length in bytes at which a text is cut.
	MaxText = 2048
	// MaxList is the number of elements at which a list is cut.
	MaxList = 32
)

// Finding is a condition that is not well.
type Finding struct {
	Condition string                 `json:"condition"`
	Status    metav1.ConditionStatus `json:"status"`
	Reason    string                 `json:"reason"`
	Message   string                 `json:"message,omitempty"`
	Since     time.Time              `json:"since,omitzero"`
	// Acts is who ends it: Person, Cluster or Time; "" where the reason is a strategy's own.
	Acts vitistackv1alpha1.Actor `json:"acts,omitempty"`
	// Help is what to do about it, or what it waits for.
	Help string `json:"help,omitempty"`
}

// Passing is a condition's status and when it got it.
type Passing struct {
	Condition string                 `json:"condition"`
	Status    metav1.ConditionStatus `json:"status"`
	Reason    string                 `json:"reason"`
	At        time.Time              `json:"at"`
}

// findings are the conditions that are not well, in order. What nobody has looked at yet is none.
func findings(conditions []metav1.Condition) []Finding {
	var found []Finding
	for _, c := range conditions {
		well := c.Status == vitistackv1alpha1.WellWhen(c.Type) || c.Reason == vitistackv1alpha1.ReasonNotChecked
		if well || len(found) == MaxList {
			continue
		}
		info, _ := vitistackv1alpha1.InfoOf(c.Reason)
		found = append(found, Finding{
			Condition: cut(c.Type), Status: c.Status, Reason: cut(c.Reason), Message: cut(c.Message),
			Since: utc(c.LastTransitionTime), Acts: info.Acts, Help: info.Help,
		})
	}
	return found
}

// passings are the last transitions of the conditions, for the history.
func passings(conditions []metav1.Condition) []Passing {
	var all []Passing
	for _, c := range conditions {
		if !c.LastTransitionTime.IsZero() && len(all) < MaxList {
			all = append(all, Passing{cut(c.Type), c.Status, cut(c.Reason), utc(c.LastTransitionTime)})
		}
	}
	return all
}

// utc is a time as every reader shows it to itself; zero stays zero.
func utc(t metav1.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}

// condition returns the condition of a type, or its zero value.
func condition(conditions []metav1.Condition, name string) metav1.Condition {
	for _, c := range conditions {
		if c.Type == name {
			return c
		}
	}
	return metav1.Condition{}
}

// cut shortens a text to MaxText, at the end of a letter, and makes it valid UTF-8.
func cut(text string) string {
	if len(text) > MaxText {
		end := MaxText
		for end > 0 && !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end] + "…"
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}

// cutAll cuts a list, and its texts.
func cutAll(texts []string) []string {
	var all []string
	for _, text := range texts[:min(len(texts), MaxList)] {
		all = append(all, cut(text))
	}
	return all
}

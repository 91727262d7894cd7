package labels

import (
	"fmt"
	"slices"
	"strings"
)

// A Selector is a list of requirements that labels must all meet. The empty Selector selects
// everything.
type Selector []Requirement

// A Requirement is what one label must be.
type Requirement struct {
	Key      string
	Operator Operator
	Value    string // with Equals and NotEquals
}

// An Operator says how a label is compared.
type Operator string

// The operators.
const (
	Equals    Operator = "="
	NotEquals Operator = "!=" // a label that is missing meets it, as in Kubernetes
	Exists    Operator = "exists"
	NotExists Operator = "!"
)

// ParseSelector reads Kubernetes' equality-based selectors: "zone=north,tier!=test,gpu,!old". "" is
// the empty Selector. Set-based selectors such as "zone in (a, b)" are an error, and so are keys
// and values that Kubernetes allows in no label.
func ParseSelector(text string) (Selector, error) {
	var selector Selector
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		r := parseRequirement(strings.TrimSpace(part))
		if r.Key == "" || strings.ContainsAny(r.Key+r.Value, " \t=!()") {
			return nil, fmt.Errorf("%q is no requirement: want key=value, key!=value, key or !key", part)
		}
		if err := r.validate(); err != nil {
			return nil, err
		}
		selector = append(selector, r)
	}
	return selector, nil
}

// validate returns what Kubernetes would say of the requirement: one that no label can meet, or
// that each meets, is a slip.
func (r Requirement) validate() error {
	if problems := keyProblems(r.Key); len(problems) > 0 {
		return fmt.Errorf("label key %q: %s", r.Key, strings.Join(problems, "; "))
	}
	if problems := valueProblems(r.Value); len(problems) > 0 {
		return fmt.Errorf("value %q of label %s: %s", r.Value, r.Key, strings.Join(problems, "; "))
	}
	return nil
}

func parseRequirement(part string) Requirement {
	if key, value, found := strings.Cut(part, "!="); found {
		return Requirement{Key: strings.TrimSpace(key), Operator: NotEquals, Value: strings.TrimSpace(value)}
	}
	if key, value, found := strings.Cut(part, "="); found {
		value = strings.TrimSpace(strings.TrimPrefix(value, "=")) // "==" means the same
		return Requirement{Key: strings.TrimSpace(key), Operator: Equals, Value: value}
	}
	if key, found := strings.CutPrefix(part, "!"); found {
		return Requirement{Key: strings.TrimSpace(key), Operator: NotExists}
	}
	return Requirement{Key: part, Operator: Exists}
}

// Matches reports whether the labels meet every requirement.
func (s Selector) Matches(labels map[string]string) bool {
	return !slices.ContainsFunc(s, func(r Requirement) bool { return !r.matches(labels) })
}

func (r Requirement) matches(labels map[string]string) bool {
	value, found := labels[r.Key]
	switch r.Operator {
	case Equals:
		return found && value == r.Value
	case NotEquals:
		return !found || value != r.Value
	case Exists:
		return found
	case NotExists:
		return !found
	}
	return false
}

// String returns the text that [ParseSelector] reads as the same selector.
func (s Selector) String() string {
	parts := make([]string, len(s))
	for i, r := range s {
		switch r.Operator {
		case Exists:
			parts[i] = r.Key
		case NotExists:
			parts[i] = "!" + r.Key
		default:
			parts[i] = r.Key + string(r.Operator) + r.Value
		}
	}
	return strings.Join(parts, ",")
}

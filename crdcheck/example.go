package crdcheck

import (
	_ "embed" // the examples
	"slices"
	"strings"
	"sync"
)

// Example is a case in which a rule finds something.
type Example struct {
	// Of says what Old and New are. "schema": two schemas of one field. "definition": two parts that
	// are merged over a definition with one version, v1. "clusters": such parts of two clusters.
	// "required": such a part, and what a program uses, as in a usage document. "object": such a part,
	// and what is merged over an object with a name.
	Of string
	// Old and New are YAML on one line, or Absent or NoAnswer.
	Old, New string
}

// What an example has in place of YAML.
const (
	// Absent is no definition.
	Absent = "absent"
	// NoAnswer is a cluster that cannot be read.
	NoAnswer = "no answer"
)

// exampleKinds are the kinds of examples by the question that they show.
var exampleKinds = map[string][]string{
	askCompare: {"schema", "definition"},
	askFleet:   {"schema", "definition", "clusters"},
	askRequire: {"required"},
	askAdmit:   {"object"},
}

// Shows reports whether it is an example for a question: "admit", "compare", "fleet", "require".
func (e Example) Shows(question string) bool { return slices.Contains(exampleKinds[question], e.Of) }

//go:embed examples.txt
var exampleLines string

// examples by rule.
var examples = sync.OnceValue(func() map[RuleID][]Example {
	all := map[RuleID][]Example{}
	for line := range strings.Lines(exampleLines) {
		rule, example, found := strings.Cut(strings.TrimSpace(line), ": ")
		if !found || strings.HasPrefix(rule, "#") {
			continue
		}
		of, change, _ := strings.Cut(example, " ")
		old, now, _ := strings.Cut(change, " -> ")
		all[RuleID(rule)] = append(all[RuleID(rule)], Example{Of: of, Old: old, New: now})
	}
	return all
})

// Examples returns cases in which the rule finds something: at least one for each question that it
// belongs to, but for the comparison with a cluster that cannot be read, which fleet shows.
func (id RuleID) Examples() []Example { return slices.Clone(examples()[id]) }

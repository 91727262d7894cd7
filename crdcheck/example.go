package crdcheck

import (
	_ "embed" // the examples
	"strings"
	"sync"
)

// Example is a change that a rule finds.
type Example struct {
	// Of is what Old and New are: "schema", that of one field, or "definition", a part that is merged
	// over a definition with one version, v1.
	Of string
	// Old and New are YAML on one line. "absent" is no definition.
	Old, New string
}

//go:embed examples.txt
var exampleLines string

// examples by rule.
var examples = sync.OnceValue(func() map[RuleID]Example {
	all := map[RuleID]Example{}
	for line := range strings.Lines(exampleLines) {
		rule, example, found := strings.Cut(strings.TrimSpace(line), ": ")
		if !found || strings.HasPrefix(rule, "#") {
			continue
		}
		of, change, _ := strings.Cut(example, " ")
		old, now, _ := strings.Cut(change, " -> ")
		all[RuleID(rule)] = Example{Of: of, Old: old, New: now}
	}
	return all
})

// Example returns a change that the rule finds; found is false for rules of other questions than
// compare, and where a cluster cannot be read.
func (id RuleID) Example() (example Example, found bool) {
	example, found = examples()[id]
	return example, found
}

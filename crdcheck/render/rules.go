package render

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

// RulesMarkdown writes a table of rules. Errors are those of w.
func RulesMarkdown(w io.Writer, rules []crdcheck.Rule) error {
	var text bytes.Buffer
	text.WriteString("# Rules\n\nExamples of compare and fleet go from one schema of a field, " +
		"or one part of a definition, " +
		"to another. Those of require and admit are such a part, and the use of a program or the object that is held " +
		"against it. A test asks about each.\n\n" +
		"| rule | questions | effect | why it matters | from | to | also |\n|---|---|---|---|---|---|---|\n")
	for _, rule := range rules {
		var from, to []string
		for _, example := range rule.ID.Examples() {
			from = append(from, labelled(example, example.Old, true))
			to = append(to, labelled(example, example.New, false))
		}
		fmt.Fprintf(
			&text, "| `%s` | %s | %s | %s | %s | %s | %s |\n", rule.ID, strings.Join(rule.Questions, ", "), rule.Effect,
			rule.Why, strings.Join(from, "<br>"), strings.Join(to, "<br>"), strings.Join(rule.Also, "; "),
		)
	}
	_, err := w.Write(text.Bytes())
	return err
}

// labelled is one side of an example, with a word where it is not a schema or a definition.
func labelled(e crdcheck.Example, side string, old bool) string {
	label := map[string]string{"required": "used: ", "object": "object: ", "clusters": "second: "}[e.Of]
	if old {
		label = ""
	}
	if side == crdcheck.Absent || side == crdcheck.NoAnswer {
		return label + side
	}
	return label + code(side)
}

// RulesText writes a line for each rule. Errors are those of w.
func RulesText(w io.Writer, rules []crdcheck.Rule) error {
	var text bytes.Buffer
	for _, rule := range rules {
		fmt.Fprintf(&text, "%-28s %-13s %s (%s)\n", rule.ID, rule.Effect, rule.Why, strings.Join(rule.Questions, ", "))
	}
	_, err := w.Write(text.Bytes())
	return err
}

// RulesJSON writes the rules as a JSON list. Errors are those of w.
func RulesJSON(w io.Writer, rules []crdcheck.Rule) error {
	type jsonExample struct {
		Of  string `json:"of"`
		Old string `json:"old"`
		New string `json:"new"`
	}
	type jsonRule struct {
		ID        crdcheck.RuleID `json:"id"`
		Effect    crdcheck.Effect `json:"effect"`
		Questions []string        `json:"questions"`
		Why       string          `json:"why"`
		Also      []string        `json:"also,omitempty"`
		Examples  []jsonExample   `json:"examples"`
	}
	var all []jsonRule
	for _, rule := range rules {
		one := jsonRule{rule.ID, rule.Effect, rule.Questions, rule.Why, rule.Also, nil}
		for _, example := range rule.ID.Examples() {
			one.Examples = append(one.Examples, jsonExample{example.Of, example.Old, example.New})
		}
		all = append(all, one)
	}
	encoded, err := encode(all)
	if err != nil {
		return err
	}
	_, err = w.Write(encoded)
	return err
}

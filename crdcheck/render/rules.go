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
	text.WriteString("# Rules\n\n| rule | questions | effect | why it matters | also |\n|---|---|---|---|---|\n")
	for _, rule := range rules {
		fmt.Fprintf(
			&text, "| `%s` | %s | %s | %s | %s |\n", rule.ID, strings.Join(rule.Questions, ", "), rule.Effect, rule.Why,
			strings.Join(rule.Also, "; "),
		)
	}
	_, err := w.Write(text.Bytes())
	return err
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
	type jsonRule struct {
		ID        crdcheck.RuleID `json:"id"`
		Effect    crdcheck.Effect `json:"effect"`
		Questions []string        `json:"questions"`
		Why       string          `json:"why"`
		Also      []string        `json:"also,omitempty"`
	}
	var all []jsonRule
	for _, rule := range rules {
		all = append(all, jsonRule(rule))
	}
	encoded, err := encode(all)
	if err != nil {
		return err
	}
	_, err = w.Write(encoded)
	return err
}

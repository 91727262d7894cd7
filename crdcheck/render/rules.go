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
	text.WriteString("# Rules\n\nAn example is the schema of one field, or a part that is merged over a definition; " +
		"a test compares each.\n\n" +
		"| rule | questions | effect | why it matters | from | to | also |\n|---|---|---|---|---|---|---|\n")
	for _, rule := range rules {
		example, _ := rule.ID.Example()
		fmt.Fprintf(
			&text, "| `%s` | %s | %s | %s | %s | %s | %s |\n", rule.ID, strings.Join(rule.Questions, ", "), rule.Effect,
			rule.Why, code(example.Old), code(example.New), strings.Join(rule.Also, "; "),
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
		Example   *jsonExample    `json:"example,omitempty"`
	}
	var all []jsonRule
	for _, rule := range rules {
		one := jsonRule{rule.ID, rule.Effect, rule.Questions, rule.Why, rule.Also, nil}
		if example, found := rule.ID.Example(); found {
			one.Example = &jsonExample{example.Of, example.Old, example.New}
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

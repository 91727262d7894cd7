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
		fmt.Fprintf(&text, "| `%s` | %s | %s | %s | %s |\n", rule.ID, strings.Join(rule.Questions, ", "), rule.Effect, rule.Why, strings.Join(rule.Also, "; "))
	}
	_, err := w.Write(text.Bytes())
	return err
}

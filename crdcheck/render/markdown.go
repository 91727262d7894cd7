package render

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

func plural(n int, word string) string {
	if n == 1 || word == "unknown" || word == "info" {
		return fmt.Sprintf("%d %s", n, word)
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// cell keeps a text in one cell of a table.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ", "<", "&lt;").Replace(shorten(text))
}

// Markdown writes the document for a pull request's comment: a heading, and a table of what was
// found. Errors are those of w.
func Markdown(w io.Writer, d Document) error {
	var text bytes.Buffer
	mark := Good
	if !d.Report.OK() {
		mark = Warning
	}
	fmt.Fprintf(&text, "## %s crdcheck %s: %s\n\n", mark, d.Question, summary(d.Report))
	if len(d.Report.Findings) > 0 {
		text.WriteString("| | where | path | what | rule |\n|---|---|---|---|---|\n")
	}
	for _, group := range crdcheck.Groups(d.Report.Findings) {
		f, where := group.Finding, code(group.Path)
		for _, path := range paths(group.Also) {
			where += ", " + code(path)
		}
		fmt.Fprintf(
			&text, "| %s %s | %s | %s | %s | `%s` `%s` |\n", Mark(f), f.Severity(), cell(Where(f)+d.place(f)), where,
			cell(Sentence(f)), f.Rule, f.Fingerprint(),
		)
	}
	if len(d.Ignored) > 0 {
		fmt.Fprintf(&text, "\n%s ignored:\n\n", plural(len(d.Ignored), "finding"))
	}
	for _, i := range d.GroupsOfIgnored() {
		fmt.Fprintf(
			&text, "- %s: %s (%s, until %s: %s)", cell(Where(i.Finding)), cell(Sentence(i.Finding)), cell(i.Owner), i.Expires,
			cell(i.Reason),
		)
		if more := also(i.Group); more != "" {
			text.WriteString("; " + strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(more))
		}
		text.WriteString("\n")
	}
	for _, note := range d.Notes {
		fmt.Fprintf(&text, "\n> %s\n", cell(note))
	}
	for _, what := range d.PassedOver {
		fmt.Fprintf(&text, "\n> %s: %s\n", passedOver, cell(what))
	}
	_, err := w.Write(text.Bytes())
	return err
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + strings.NewReplacer("|", `\|`, "`", "'").Replace(text) + "`"
}

// Where names the object, the definition and the cluster of a finding: "Widget default/w of
// widgets.example.com in east".
func Where(f crdcheck.Finding) string {
	return title(crdcheck.Subject{CRD: f.CRD, Cluster: f.Cluster, Object: f.Object})
}

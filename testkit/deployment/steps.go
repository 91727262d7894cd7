package deployment

import (
	"fmt"
	"regexp"
	"strings"
)

// Step is a block of commands in a document: a fence that begins with "```bash step=NAME".
type Step struct {
	// Name is unique in its document.
	Name string
	// Needs names a program that must run for the step to end well, as "```bash step=NAME
	// needs=PROGRAM" says it; "" means none.
	Needs string
	// Script is the text between the fences, for bash.
	Script string
	// Shows is what the document says that it prints: a fence "```text" that follows at once; "" where
	// the document does not say. "…" stands for anything in its line, a line "…" for any lines.
	Shows string
}

// Check fails where a step printed something else than the document shows. The width of columns
// does not count.
func (s Step) Check(printed string) error {
	if s.Shows == "" {
		return nil
	}
	pattern := `(?s)^\s*`
	for line := range strings.Lines(s.Shows) {
		line = strings.TrimSpace(line)
		if line == "…" {
			pattern += `(.*\n)?`
			continue
		}
		words := strings.Fields(line)
		for i, word := range words {
			words[i] = strings.ReplaceAll(regexp.QuoteMeta(word), "…", `[^\n]*`)
		}
		pattern += `[ \t]*` + strings.Join(words, `[ \t]+`) + `[ \t]*(\n|$)`
	}
	if !regexp.MustCompile(pattern + `\s*$`).MatchString(printed) {
		return fmt.Errorf("it printed\n%s\nbut the document shows\n%s", printed, s.Shows)
	}
	return nil
}

// Steps returns the steps of a Markdown document in their order. It fails where a fence is not
// closed, or a name is given twice, or a bash block has no name: such a block would be run by
// nobody.
func Steps(document string) ([]Step, error) {
	var steps []Step
	named := map[string]bool{}
	rest := document
	for {
		_, after, found := strings.Cut(rest, "\n```bash")
		if !found {
			return steps, nil
		}
		head, body, _ := strings.Cut(after, "\n")
		script, next, closed := strings.Cut(body, "\n```")
		step := Step{Script: script + "\n"}
		for word := range strings.FieldsSeq(head) {
			if name, isName := strings.CutPrefix(word, "step="); isName {
				step.Name = name
			}
			if program, isNeed := strings.CutPrefix(word, "needs="); isNeed {
				step.Needs = program
			}
		}
		switch {
		case step.Name == "":
			return nil, fmt.Errorf("a bash block has no name: %q", script)
		case named[step.Name]:
			return nil, fmt.Errorf("two steps have the name %s", step.Name)
		case !closed:
			return nil, fmt.Errorf("step %s has no end", step.Name)
		}
		named[step.Name] = true
		if shown, follows := strings.CutPrefix(strings.TrimLeft(next, "\n"), "```text\n"); follows {
			step.Shows, _, _ = strings.Cut(shown, "\n```")
			step.Shows += "\n"
		}
		steps, rest = append(steps, step), next
	}
}

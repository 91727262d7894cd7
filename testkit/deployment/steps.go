package deployment

import (
	"fmt"
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
		steps, rest = append(steps, step), next
	}
}

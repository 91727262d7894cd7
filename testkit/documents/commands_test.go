package documents_test

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

var (
	// commandLine is a command of ours: indented, or between backquotes.
	commandLine = regexp.MustCompile("(?m)(?:^ {4,}|`)((?:bin/)?(?:operator|crdcheck|fleet|kubectl machine)(?: [^`\\n|;&<>#]+))")
	longFlag    = regexp.MustCompile(`^--[a-z][a-z-]*`)
	subCommand  = regexp.MustCompile(`^[a-z][a-z-]*$`)
	makeTarget  = regexp.MustCompile("(?m)(?:^ {4}|`)make ([a-z-]+)")
)

// TestCommandsAreThere asks our programs for each command and each flag that a document tells people
// to type. What deploy/docs tells is not only asked for but done, by deploy/internal/walk.
func TestCommandsAreThere(t *testing.T) {
	programs, seen := built(t), map[string]bool{}
	for _, document := range files(t, ".md", 15) {
		for _, match := range commandLine.FindAllStringSubmatch(fence.ReplaceAllStringFunc(read(t, document), indent), -1) {
			line := strings.TrimPrefix(strings.Replace(match[1], "kubectl machine", "kubectl-machine", 1), "bin/")
			words := strings.Fields(strings.ReplaceAll(line, "\\n", " "))
			if seen[line] || !isCommand(words) {
				continue
			}
			seen[line] = true
			for _, problem := range check(t, programs[words[0]], words[1:]) {
				t.Errorf("%s tells people to type %q: %s", document, match[1], problem)
			}
		}
		for _, match := range makeTarget.FindAllStringSubmatch(read(t, document), -1) {
			if !strings.Contains(read(t, "Makefile")+read(t, "testkit/programs/programs.mk"), "\n"+match[1]+":") {
				t.Errorf("%s tells people to make %s, and the Makefile does not", document, match[1])
			}
		}
	}
	if len(seen) < 40 {
		t.Errorf("%d commands: the test looked at few", len(seen))
	}
}

// indent makes what is in a fence look like an indented block, unless it is a picture.
func indent(fenced string) string {
	if strings.HasPrefix(fenced, "```mermaid") {
		return ""
	}
	return strings.ReplaceAll(fenced, "\n", "\n    ")
}

// isCommand tells a command from a sentence that begins with the program's name.
func isCommand(words []string) bool {
	if len(words) < 2 {
		return false
	}
	return subCommand.MatchString(words[1]) || strings.HasPrefix(words[1], "--")
}

// check says what a program does not know of a command line.
func check(t *testing.T, program string, words []string) (problems []string) {
	t.Helper()
	command, help := []string{}, helpOf(t, program)
	for _, word := range words {
		if !subCommand.MatchString(word) {
			continue
		}
		next := helpOf(t, program, append(command, word)...)
		if next == help {
			if len(command) == 0 {
				problems = append(problems, "there is no "+word)
			}
			break
		}
		command, help = append(command, word), next
	}
	for _, word := range words {
		if flag := longFlag.FindString(word); flag != "" && !regexp.MustCompile(flag+`\b`).MatchString(help) {
			problems = append(problems, strings.Join(command, " ")+" has no "+flag)
		}
	}
	return problems
}

func helpOf(t *testing.T, program string, words ...string) string {
	t.Helper()
	out, _ := exec.CommandContext(t.Context(), program, append(words, "--help")...).CombinedOutput()
	return string(out)
}

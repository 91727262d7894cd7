package documents_test

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	fence    = regexp.MustCompile("(?s)```.*?```")
	heading  = regexp.MustCompile(`(?m)^#+ (.+)$`)
	codeSpan = regexp.MustCompile("`([^`]+)`")
)

// TestLinksOpen follows each relative link of each document, to a heading too.
func TestLinksOpen(t *testing.T) {
	for _, document := range files(t, ".md", 15) {
		for _, match := range link.FindAllStringSubmatch(fence.ReplaceAllString(read(t, document), ""), -1) {
			if strings.Contains(match[1], "://") || strings.HasPrefix(match[1], "mailto:") {
				continue
			}
			name, anchor, _ := strings.Cut(match[1], "#")
			target := document
			if name != "" {
				target = path.Join(path.Dir(document), name)
			}
			if !exists(target) {
				t.Errorf("%s: the link %s opens nothing", document, match[1])
				continue
			}
			if anchor != "" && !slices.Contains(anchors(read(t, target)), anchor) {
				t.Errorf("%s: the link %s leads to no heading of %s", document, match[1], target)
			}
		}
	}
}

// anchors are the names that GitHub gives to the headings of a document.
func anchors(document string) []string {
	var all []string
	for _, match := range heading.FindAllStringSubmatch(fence.ReplaceAllString(document, ""), -1) {
		var name strings.Builder
		for _, letter := range strings.ToLower(match[1]) {
			switch {
			case letter == ' ':
				name.WriteRune('-')
			case letter == '-' || letter == '_' || letter >= 'a' && letter <= 'z' || letter >= '0' && letter <= '9':
				name.WriteRune(letter)
			}
		}
		all = append(all, name.String())
	}
	return all
}

// TestNothingPrivateIsCited fails for a mention of a document that is not in the repository: a
// reader could not open it.
func TestNothingPrivateIsCited(t *testing.T) {
	private := regexp.MustCompile(`\b(seed|design|conventions)\.md\b`)
	for _, name := range slices.Concat(files(t, ".go", 300), files(t, ".md", 15)) {
		if strings.HasPrefix(name, "testkit/documents/") {
			continue
		}
		for number, line := range strings.Split(read(t, name), "\n") {
			if cited := private.FindString(line); cited != "" && !strings.Contains(line, "https://") {
				t.Errorf("%s:%d cites %s, which a reader cannot open: cite docs/specification.md or docs/invariants.md",
					name, number+1, cited)
			}
		}
	}
}

// TestGlossary fails where a word of the glossary has two meanings.
func TestGlossary(t *testing.T) {
	row := regexp.MustCompile(`(?m)^\| ((?:\*\*\w+\*\*(?:, )?)+) \|`)
	bold := regexp.MustCompile(`\*\*(\w+)\*\*`)
	seen := map[string]bool{}
	for _, match := range row.FindAllStringSubmatch(read(t, "GLOSSARY.md"), -1) {
		for _, word := range bold.FindAllStringSubmatch(match[1], -1) {
			if seen[strings.ToLower(word[1])] {
				t.Errorf("GLOSSARY.md explains %q twice", word[1])
			}
			seen[strings.ToLower(word[1])] = true
		}
	}
	if len(seen) < 20 {
		t.Errorf("GLOSSARY.md explains %d words: the test looked at nothing", len(seen))
	}
}

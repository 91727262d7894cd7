package plugin

import (
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// escapes are the sequences that tell a terminal to do something: to change colours, to move, to
// write elsewhere.
var escapes = regexp.MustCompile(`(?s)\x1b\[[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\)`)

// plain is a text of a plugin without what a terminal, a log or a web page would act on or hide:
// escape sequences, control characters, line breaks, marks of direction.
func plain(text string) string {
	text = strings.ToValidUTF8(text, "?")
	if !strings.ContainsFunc(text, unprintable) {
		return text
	}
	text = escapes.ReplaceAllString(text, "")
	return strings.Map(func(r rune) rune {
		if unprintable(r) {
			return ' '
		}
		return r
	}, text)
}

func unprintable(r rune) bool { return !unicode.IsPrint(r) }

// clip makes a text of a plugin plain, and cuts it to what a condition holds.
func clip(text string) string { return cut(plain(text), maxTextBytes) }

// cut cuts a text at a rune boundary.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	for limit > 0 && !utf8.RuneStart(text[limit]) {
		limit--
	}
	return text[:limit] + "…"
}

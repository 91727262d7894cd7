package observed

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// The bounds of texts in a status, in bytes. Guests, remote servers and operators of addresses
// choose these texts, and must not be able to fill an object or to write into somebody's terminal.
const (
	// maxMessage is enough for a person.
	maxMessage = 1024
	// maxName is that of the longest names in Kubernetes.
	maxName = 253
	// maxWord is for versions, states and the like.
	maxWord = 128
)

// sentence makes a message fit for a condition.
func sentence(message string) string { return text(message, maxMessage) }

// name makes the name of something fit for a status, and word any other short text.
func name(of string) string { return text(of, maxName) }

func word(of string) string { return text(of, maxWord) }

// text is valid UTF-8 of at most limit bytes, with a space in place of each control character, and
// cut between characters.
func text(of string, limit int) string {
	long := len(of) > limit
	if long {
		of = of[:min(len(of), limit+utf8.UTFMax)] // enough to cut between characters, and to know that it was longer
	}
	if !isPlain(of) {
		of = strings.Map(visible, strings.ToValidUTF8(of, string(utf8.RuneError)))
	}
	if !long && len(of) <= limit {
		return of
	}
	end := min(len(of), limit-len("..."))
	for end < len(of) && !utf8.RuneStart(of[end]) {
		end--
	}
	return of[:end] + "..."
}

// isPlain says whether a text has nothing but printable ASCII, as most have.
func isPlain(of string) bool {
	for i := range len(of) {
		if of[i] < ' ' || of[i] > '~' {
			return false
		}
	}
	return true
}

// visible is a space for characters that control a terminal or the direction of writing.
func visible(r rune) rune {
	if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || unicode.Is(unicode.Zl, r) || unicode.Is(unicode.Zp, r) {
		return ' '
	}
	return r
}

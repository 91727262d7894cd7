package secrecy

import (
	"bytes"
	"slices"
)

const (
	// run is how many letters and digits in a row a text must have in common with a secret to repeat
	// it. Shorter ones are words that stand in any text.
	run = 8
	// shortest is the least that a whole secret must have to be looked for.
	shortest = 4
)

// Quotes reports whether a text repeats a part of one of the secrets, in any of their forms. Only
// letters and digits count, so that a text whose lines were wrapped, cut or joined is found as well.
//
// A secret with less than four letters and digits is not looked for. Of a longer one a part of less
// than eight is not found.
func Quotes(text string, secrets ...[]byte) bool {
	runs := map[string]bool{}
	letters := lettersOf(text)
	for begin := 0; begin+run <= len(letters); begin++ {
		runs[string(letters[begin:begin+run])] = true
	}
	return slices.ContainsFunc(secrets, func(secret []byte) bool {
		return slices.ContainsFunc(Forms(secret), func(form Form) bool {
			return shares(letters, runs, lettersOf(form.Text))
		})
	})
}

// shares reports whether a form of a secret has a run in common with a text, or, where it is shorter
// than that, stands in it as a whole.
func shares(text []byte, runs map[string]bool, form []byte) bool {
	if len(form) < run {
		return len(form) >= shortest && bytes.Contains(text, form)
	}
	for begin := 0; begin+run <= len(form); begin++ {
		if runs[string(form[begin:begin+run])] {
			return true
		}
	}
	return false
}

// lettersOf are the ASCII letters and digits of a text.
func lettersOf(text string) []byte {
	letters := make([]byte, 0, len(text))
	for i := range len(text) {
		switch c := text[i]; {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z':
			letters = append(letters, c)
		}
	}
	return letters
}

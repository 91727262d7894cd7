package terminal

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/term"
)

// colour finds the sequences of the colours that the commands use, at the begin of a text. Whoever
// brings one along can colour his own words, and no more: none hides anything.
var colour = regexp.MustCompile(`^\x1b\[(0|1|2|22|31|32|33)(;(0|1|2|22|31|32|33))*m`)

// redraw puts a terminal's cursor home and clears what is below it.
const redraw = "\x1b[H\x1b[J"

// Writer passes text on, with every control character but line breaks and tabs written out ("\x1b"),
// and so are the characters that turn the direction of writing. It is not safe for concurrent use.
type Writer struct {
	to   io.Writer
	rest []byte // the begin of a character whose end has not been written yet
}

// New returns a Writer.
func New(to io.Writer) *Writer { return &Writer{to: to} }

// Write implements io.Writer. Errors are those of what is written to.
func (w *Writer) Write(p []byte) (int, error) {
	text := append(w.rest, p...)
	whole := len(text) - unfinished(text)
	w.rest = bytes.Clone(text[whole:])
	if _, err := io.WriteString(w.to, Plain(string(text[:whole]))); err != nil {
		return 0, err
	}
	return len(p), nil
}

// unfinished is the number of bytes at the end of a text that begin a character.
func unfinished(text []byte) int {
	for back := 1; back < utf8.UTFMax && back <= len(text); back++ {
		begin := text[len(text)-back:]
		if utf8.RuneStart(begin[0]) {
			if utf8.FullRune(begin) {
				return 0
			}
			return back
		}
	}
	return 0
}

// Plain is a text as a Writer shows it. Bytes that are no characters are shown as U+FFFD.
func Plain(text string) string {
	if isPlain(text) {
		return text
	}
	var plain strings.Builder
	for rest := text; rest != ""; {
		if sequence := colour.FindString(rest); sequence != "" {
			plain.WriteString(sequence)
			rest = rest[len(sequence):]
			continue
		}
		letter, size := utf8.DecodeRuneInString(rest)
		rest = rest[size:]
		if harmless(letter) {
			plain.WriteRune(letter)
		} else {
			plain.WriteString(escaped(letter))
		}
	}
	return plain.String()
}

// isPlain reports whether a text has nothing but printable ASCII and line breaks, as most have.
func isPlain(text string) bool {
	for i := range len(text) {
		if (text[i] < ' ' || text[i] > '~') && text[i] != '\n' && text[i] != '\t' {
			return false
		}
	}
	return true
}

// escaped is a character as Go writes it, and from DEL on as JSON does: what is JSON stays it.
func escaped(letter rune) string {
	switch high, low := utf16.EncodeRune(letter); {
	case letter < ' ':
		return strings.Trim(strconv.QuoteRune(letter), "'")
	case letter > math.MaxUint16:
		return fmt.Sprintf(`\u%04x\u%04x`, high, low)
	default:
		return fmt.Sprintf(`\u%04x`, letter)
	}
}

// harmless reports whether a character changes nothing but the place that it is written to.
func harmless(letter rune) bool {
	return letter == '\n' || letter == '\t' ||
		!unicode.IsControl(letter) && !unicode.In(letter, unicode.Cf, unicode.Zl, unicode.Zp)
}

// Raw is what is below a Writer, for a program that has the terminal to itself and for files. Any
// other writer is returned as it is.
func Raw(out io.Writer) io.Writer {
	if w, wraps := out.(*Writer); wraps {
		return w.to
	}
	return out
}

// Is reports whether what is written is seen on a terminal.
func Is(out io.Writer) bool {
	file, isFile := Raw(out).(*os.File)
	return isFile && term.IsTerminal(int(file.Fd()))
}

// Clear lets what is written next take the place of what a terminal shows.
func Clear(out io.Writer) error {
	_, err := io.WriteString(Raw(out), redraw)
	return err
}

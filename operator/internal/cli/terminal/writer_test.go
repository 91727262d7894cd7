package terminal_test

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/terminal"
)

func TestPlain(t *testing.T) {
	for name, tc := range map[string]struct{ reason, text, want string }{
		"Text":      {reason: "What people write is shown.", text: "web ├─ läuft\tund\nläuft ✓", want: "web ├─ läuft\tund\nläuft ✓"},
		"Colour":    {reason: "Our own colours pass.", text: "\x1b[32mgood\x1b[0m \x1b[1mbold\x1b[0;22m", want: "\x1b[32mgood\x1b[0m \x1b[1mbold\x1b[0;22m"},
		"Conceal":   {reason: "A colour that hides is none of ours.", text: "\x1b[8mhidden", want: `\x1b[8mhidden`},
		"Clear":     {reason: "A Machine's class clears the screen of who lists it.", text: "\x1b[2J\x1b[H", want: `\x1b[2J\x1b[H`},
		"Title":     {reason: "A title of the window is later typed by the terminal itself.", text: "\x1b]0;rm -rf\x07", want: `\x1b]0;rm -rf\a`},
		"Return":    {reason: "A carriage return writes over the begin of the line.", text: "Failed\rReady ", want: `Failed\rReady `},
		"Backspace": {reason: "A backspace takes letters away.", text: "no\b\byes", want: `no\b\byes`},
		"C1":        {reason: "Some terminals take one character for the begin of a sequence.", text: "\u009b2J", want: `\u009b2J`},
		"Delete":    {reason: "JSON with a character in it that is written out is still JSON.", text: "a\x7f\U000e0001", want: `a\u007f\udb40\udc01`},
		"Direction": {reason: "Text that is turned round reads as another one.", text: "a\u202eb", want: `a\u202eb`},
		"NoText":    {reason: "A byte that is no character may be a control character elsewhere.", text: "a\x9b2J", want: "a\ufffd2J"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := terminal.Plain(tc.text); got != tc.want {
				t.Errorf("%s %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

// TestWriter: a text is the same in whatever pieces it is written.
func TestWriter(t *testing.T) {
	const text = "läuft ✓ \x1b]0;x\x07 日本 \xff.\n"
	for size := 1; size < len(text); size++ {
		var out bytes.Buffer
		writer := terminal.New(&out)
		for rest := text; rest != ""; {
			piece := rest[:min(size, len(rest))]
			if n, err := writer.Write([]byte(piece)); n != len(piece) || err != nil {
				t.Fatal(n, err)
			}
			rest = rest[len(piece):]
		}
		if want := terminal.Plain(text); out.String() != want {
			t.Errorf("in pieces of %d: %q, want %q", size, out.String(), want)
		}
	}
	var out bytes.Buffer
	if terminal.Raw(terminal.New(&out)) != &out || terminal.Raw(&out) != &out || terminal.Is(terminal.New(&out)) {
		t.Error("what is below a writer is not found")
	}
	if err := terminal.Clear(terminal.New(&out)); err != nil || out.String() != "\x1b[H\x1b[J" {
		t.Errorf("a screen is cleared by %q: %v", out.String(), err)
	}
}

// FuzzPlain: whatever comes from a cluster, no control character comes out but those of our colours.
func FuzzPlain(f *testing.F) {
	f.Add("\x1b[31m\x1b[2J")
	f.Fuzz(func(t *testing.T, text string) {
		plain := terminal.Plain(text)
		for at, letter := range plain {
			if letter == '\x1b' && strings.HasPrefix(plain[at:], "\x1b[") || letter == '\n' || letter == '\t' {
				continue
			}
			if unicode.IsControl(letter) {
				t.Errorf("%q has %q at %d", plain, letter, at)
			}
		}
		if strings.Count(plain, "\x1b[") > strings.Count(plain, "m") || !utf8.ValidString(plain) {
			t.Errorf("%q is more than coloured text", plain)
		}
	})
}

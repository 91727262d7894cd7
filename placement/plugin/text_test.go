package plugin

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPlain(t *testing.T) {
	cases := map[string]struct {
		reason string
		text   string
		want   string
	}{
		"plain text": {
			reason: "letters of any language, signs and symbols stay as they are",
			text:   "größer als 5 % – 東京 ✓",
			want:   "größer als 5 % – 東京 ✓",
		},
		"colours": {
			reason: "sequences that change colours are taken out as a whole",
			text:   "\x1b[1;31mred\x1b[0m",
			want:   "red",
		},
		"title of the window": {
			reason: "a sequence with a text of its own is taken out with its text",
			text:   "a\x1b]0;title\x07b\x1b]8;;http://x\x1b\\c",
			want:   "abc",
		},
		"sequence without an end": {
			reason: "a sequence that does not end is harmless without its first character",
			text:   "a\x1b]0;title",
			want:   "a ]0;title",
		},
		"several lines": {
			reason: "a text of several lines could pass for several lines of a log",
			text:   "one\r\ntwo\u2028three",
			want:   "one  two three",
		},
		"marks of direction": {
			reason: "marks of direction show a text otherwise than it is written",
			text:   "a\u202eb\u2066c\u200bd",
			want:   "a b c d",
		},
		"no UTF-8": {
			reason: "bytes that are no text are shown as question marks",
			text:   "a\xffb",
			want:   "a?b",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, plain(tc.text)); diff != "" {
				t.Errorf("\n%s\nplain(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

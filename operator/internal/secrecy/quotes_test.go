package secrecy_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/secrecy"
)

func TestQuotes(t *testing.T) {
	const userData = "#cloud-config\nhostname: web\npassword: correct-horse-battery\n"
	encoded := base64.StdEncoding.EncodeToString([]byte(userData))
	cases := map[string]struct {
		reason, text, secret string
		want                 bool
	}{
		"Whole": {
			reason: "A policy puts the whole document into its message.",
			text:   `denied: "` + userData + `"`, secret: userData, want: true,
		},
		"Beginning": {
			reason: "A message is cut after its first kilobyte.",
			text:   "denied: " + encoded[:30], secret: userData, want: true,
		},
		"Middle": {
			reason: "A webhook names the line that it does not like.",
			text:   "line 3 is weak: correct-horse-bat", secret: userData, want: true,
		},
		"Wrapped": {
			reason: "Base64 is broken into lines.",
			text:   encoded[:20] + "\n  " + encoded[20:40], secret: userData, want: true,
		},
		"OneLine": {
			reason: "White space of a message was made one line.",
			text:   strings.Join(strings.Fields(userData), " "), secret: userData, want: true,
		},
		"Short": {
			reason: "A short secret is looked for as a whole.",
			text:   `the key "s3cr3t" is weak`, secret: "s3cr3t", want: true,
		},
		"Quota": {
			reason: "What a quota says is not in the document, and is worth reading.",
			text:   "exceeded quota: few, requested: secrets=1, used: secrets=0, limited: secrets=0", secret: userData,
		},
		"Tiny": {
			reason: "Three letters are in many words.",
			text:   "forbidden by policy", secret: "bid",
		},
		"Empty": {reason: "An empty secret is in every text, and says nothing.", text: "forbidden", secret: ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := secrecy.Quotes(tc.text, []byte("another one, that is nowhere"), []byte(tc.secret)); got != tc.want {
				t.Errorf("%s Quotes() = %t", tc.reason, got)
			}
		})
	}
}

// FuzzQuotes: whoever puts eight letters of a secret anywhere is found.
func FuzzQuotes(f *testing.F) {
	f.Add("before", "0123456789", "after", 1)
	f.Fuzz(func(t *testing.T, before, secret, after string, from int) {
		letters := strings.Map(func(r rune) rune {
			if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
				return r
			}
			return -1
		}, secret)
		if from < 0 || from > len(letters)-8 {
			return
		}
		if !secrecy.Quotes(before+letters[from:from+8]+after, []byte(letters)) {
			t.Errorf("%q of %q is not found", letters[from:from+8], letters)
		}
	})
}

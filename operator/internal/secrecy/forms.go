package secrecy

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
)

// Form is a secret as it looks in one encoding.
type Form struct {
	// Name says which: "base64, second alignment".
	Name string
	// Text is what stands in a text that has the secret in this encoding.
	Text string
}

// alignments are the names of the three ways in which base64 can cut a secret that begins anywhere
// in a longer text.
var alignments = []string{"first", "second", "third"}

// Forms are all the forms of a secret that are looked for: as it is, base64 in its three alignments
// and both alphabets, hexadecimal, percent-encoded, and escaped as JSON and as Go quote it. Two
// forms that are alike stand there once. A secret of less than three bytes has no base64 forms.
func Forms(secret []byte) []Form {
	text := string(secret)
	all := []Form{{"as it is", text}}
	seen := map[string]bool{"": true, text: true}
	add := func(name, form string) {
		if !seen[form] {
			seen[form] = true
			all = append(all, Form{Name: name, Text: form})
		}
	}
	for skip, which := range alignments {
		std, alphabet := aligned(base64.RawStdEncoding, secret, skip), "base64, "+which+" alignment"
		add(alphabet, std)
		add(alphabet+", for URLs", strings.NewReplacer("+", "-", "/", "_").Replace(std))
	}
	add("hexadecimal", hex.EncodeToString(secret))
	add("hexadecimal in capitals", strings.ToUpper(hex.EncodeToString(secret)))
	add("percent-encoded, in a query", url.QueryEscape(text))
	add("percent-encoded, in a path", url.PathEscape(text))
	if quoted, err := json.Marshal(text); err == nil {
		add("escaped as JSON", strings.Trim(string(quoted), `"`))
	}
	var plain strings.Builder
	encoder := json.NewEncoder(&plain)
	encoder.SetEscapeHTML(false)
	if encoder.Encode(text) == nil {
		add("escaped as JSON, without HTML", strings.Trim(strings.TrimSpace(plain.String()), `"`))
	}
	add("quoted as Go does", strings.Trim(strconv.Quote(text), `"`))
	add("quoted as Go does, in ASCII", strings.Trim(strconv.QuoteToASCII(text), `"`))
	return all
}

// aligned is the part of a secret's base64 that does not depend on what stands before and after it,
// where as many bytes of it as skip says belong to a group that begins before it.
func aligned(encoding *base64.Encoding, secret []byte, skip int) string {
	if len(secret) < skip+3 {
		return ""
	}
	secret = secret[skip:]
	return encoding.EncodeToString(secret[:len(secret)/3*3])
}

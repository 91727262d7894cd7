package secrecy_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/secrecy"
)

// secret has what each encoding changes: quotes, a line break, signs and a letter that is no ASCII.
const secret = "pa\"ss: Ca+na/ry?\n<7f3a9c&d1e2>é"

// planted are texts that have the secret in one form. None is made by the package under test.
func planted() map[string]string {
	quoted, _ := json.Marshal(map[string]string{"a": secret})
	all := map[string]string{
		"as it is":        "denied: " + secret + " is weak",
		"hexadecimal":     hex.EncodeToString([]byte("x" + secret + "y")),
		"capitals":        fmt.Sprintf("%X", secret),
		"query":           "https://example.com/?a=" + url.QueryEscape(secret) + "&b=1",
		"path":            "https://example.com/" + url.PathEscape(secret) + "/1",
		"JSON":            string(quoted),
		"quoted":          fmt.Sprintf("invalid value: %q", secret),
		"quoted in ASCII": fmt.Sprintf("invalid value: %+q", secret),
		"raw standard":    base64.RawStdEncoding.EncodeToString([]byte(secret)),
	}
	for _, before := range []string{"", "a", "ab"} {
		whole := []byte(before + secret + "\ntail")
		all[fmt.Sprintf("base64 after %d", len(before))] = "data: " + base64.StdEncoding.EncodeToString(whole)
		all[fmt.Sprintf("base64 for URLs after %d", len(before))] = "data: " + base64.URLEncoding.EncodeToString(whole)
	}
	return all
}

// TestForms: each way to write the secret down is one of its forms.
func TestForms(t *testing.T) {
	forms := secrecy.Forms([]byte(secret))
	for name, text := range planted() {
		t.Run(name, func(t *testing.T) {
			if !has(text, forms) {
				t.Errorf("no form is found in %q", text)
			}
			if !secrecy.Quotes(text, []byte(secret)) {
				t.Errorf("it is not taken for a quotation: %q", text)
			}
		})
	}
	if has("denied: another text of which nothing is a secret", forms) {
		t.Error("a form is found in a text that has none")
	}
}

// has reports whether a text has one of the forms.
func has(text string, forms []secrecy.Form) bool {
	for _, form := range forms {
		if form.Text == "" {
			return true // such a form would be found everywhere
		}
		if strings.Contains(text, form.Text) {
			return true
		}
	}
	return false
}

package canary_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/canary"
)

// TestFound plants a canary in each form, and finds it.
func TestFound(t *testing.T) {
	const secret = `canary "5d1f/0c77+é" & <more>`
	quoted, err := json.Marshal(map[string]string{"message": secret})
	if err != nil {
		t.Fatal(err)
	}
	planted := map[string]string{
		"as it is": secret, "hexadecimal": hex.EncodeToString([]byte(secret)), "capitals": fmt.Sprintf("%X", secret),
		"query": url.QueryEscape(secret), "path": url.PathEscape(secret), "JSON": string(quoted), "Go": fmt.Sprintf("%q", secret),
		"Go in ASCII": fmt.Sprintf("%+q", secret),
	}
	for shift, before := range []string{"", "x", "xy"} {
		planted[fmt.Sprintf("base64 %d", shift)] = base64.StdEncoding.EncodeToString([]byte(before + secret + "z"))
		planted[fmt.Sprintf("base64 for URLs %d", shift)] = base64.RawURLEncoding.EncodeToString([]byte(before + secret))
	}
	flock := canary.Flock{"other": []byte("canary that is nowhere"), "planted": []byte(secret)}
	for name, text := range planted {
		t.Run(name, func(t *testing.T) {
			found := flock.In(strings.Repeat("line\n", 100) + "before " + text + " after")
			if len(found) != 1 || found[0].Canary != "planted" || !strings.Contains(found[0].Near, "before ") {
				t.Errorf("found %v in %s", found, text)
			}
		})
	}
	if found := flock.In("a log without any secret"); len(found) != 0 {
		t.Errorf("found %v where nothing is", found)
	}
	if found := (canary.Flock{"short": []byte("abc")}).In(""); len(found) != 1 {
		t.Error("nobody is told that a canary cannot be searched for")
	}
}

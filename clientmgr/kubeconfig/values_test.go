package kubeconfig_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
)

// maxTime is far more than a kubeconfig takes, also on a busy machine.
const maxTime = 5 * time.Second

// letters are a word that is long enough to tell something of a secret.
var letters = regexp.MustCompile(`\pL{4,}`)

// vocabulary are the words of the package's own code, which an error is made of.
func vocabulary(f *testing.F) map[string]bool {
	f.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		f.Fatalf("the code of the package: %v", err)
	}
	known := map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		code, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		for _, word := range letters.FindAllString(string(code), -1) {
			known[word] = true
		}
	}
	return known
}

// FuzzValues puts texts into the fields of a kubeconfig that is right but for them: an error has no
// word of theirs, and what is accepted has them as they are.
func FuzzValues(f *testing.F) {
	known := vocabulary(f)
	certificate, key := pair(f)
	for _, seed := range [][5]string{
		{"https://h:6443", "hunter2-token", "", "", ""}, {"https://h", "", "", b64(certificate), b64(key)},
		{"http://hunter2", "hunter2", "", "", ""}, {"https://hunter2@h/", "a", "socks5://hunter2:1", "", ""},
		{"https://h:hunter2", "hunter2\nhunter2", "", "", ""}, {"https://h/%zz", "\x00", "://", "", ""},
		{"https://h", "hunter2", "", b64([]byte("hunter2hunter2")), "hunter2!"}, {"", "REDACTED", "", "DATA+OMITTED", b64(certificate)},
		{"https://[::1%25a]:1/x?y#z", "e30.e30.e30", "http://h", b64(key), b64(key)},
	} {
		f.Add(seed[0], seed[1], seed[2], seed[3], seed[4])
	}
	f.Fuzz(func(t *testing.T, server, token, proxy, certificate, key string) {
		data, err := json.Marshal(map[string]any{
			"clusters": []any{map[string]any{"name": "c", "cluster": map[string]any{"server": server, "proxy-url": proxy}}},
			"users": []any{map[string]any{"name": "u", "user": map[string]any{
				"token": token, "client-certificate-data": certificate, "client-key-data": key,
			}}},
			"contexts":        []any{map[string]any{"name": "x", "context": map[string]any{"cluster": "c", "user": "u"}}},
			"current-context": "x",
		})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		target, err := kubeconfig.Parse(data, kubeconfig.Options{})
		again, errAgain := kubeconfig.Parse(data, kubeconfig.Options{})
		if took := time.Since(began); took > 2*maxTime {
			t.Errorf("it took %v", took)
		}
		if (err == nil) != (errAgain == nil) || err != nil && err.Error() != errAgain.Error() || !target.Equal(again) {
			t.Errorf("the same file is understood in two ways: %v and %v", err, errAgain)
		}
		if err != nil {
			checkWords(t, known, err)
			return
		}
		checkTarget(t, target)
		if got := target.Token.Reveal(); got != strings.TrimSpace(strings.ToValidUTF8(token, "\ufffd")) {
			t.Errorf("token %q of %q", got, token)
		}
	})
}

// checkWords fails where an error has a word that is not the package's own.
func checkWords(t *testing.T, known map[string]bool, err error) {
	t.Helper()
	var field *kubeconfig.FieldError
	if !errors.As(err, &field) || len(err.Error()) > 200 || strings.ContainsFunc(err.Error(), unicode.IsControl) {
		t.Errorf("an error that is none of ours: %q", err)
	}
	for _, word := range letters.FindAllString(err.Error(), -1) {
		if !known[word] {
			t.Errorf("an error with the word %q of the file: %v", word, err)
		}
	}
}

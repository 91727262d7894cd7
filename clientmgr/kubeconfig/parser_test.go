package kubeconfig_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
)

// bundled is a kubeconfig of nearly 1 MiB, most of which are certificates.
func bundled(t testing.TB) []byte {
	t.Helper()
	certificate, _ := pair(t)
	bundle := bytes.Repeat(certificate, 750_000/len(certificate))
	return []byte(document(server+", certificate-authority-data: "+b64(bundle), token))
}

func TestParserRemembersTheLastFile(t *testing.T) {
	data := bundled(t)
	var parser kubeconfig.Parser
	cost := func() time.Duration {
		start := time.Now()
		if _, err := parser.Parse(data, day("2026-01-01")); err != nil {
			t.Fatal(err)
		}
		return time.Since(start)
	}
	first := cost()
	again := min(cost(), cost(), cost())
	if again > time.Millisecond || again > first/10 {
		t.Errorf("a file that has not changed costs %v, the first time %v", again, first)
	}
}

func TestParser(t *testing.T) {
	certificate, key := pairOf(t, day("2026-01-01"), day("2026-03-01"))
	ends := document(server, "client-certificate-data: "+b64(certificate)+", client-key-data: "+b64(key))
	over := "users[].user.client-certificate-data: is over since 2026-03-01T00:00:00Z"
	type look struct {
		reason, data, at string
		want             string // the error
	}
	looks := []look{
		{reason: "a good file is read", data: document(server, token), at: "2026-02-01"},
		{reason: "a changed token is another file", data: document(server, "token: other"), at: "2026-02-01"},
		{reason: "a bad file is not taken for the last good one", data: document(server, ""), at: "2026-02-01",
			want: "users[].user: has no credential"},
		{reason: "a bad file stays bad", data: document(server, ""), at: "2026-02-01", want: "users[].user: has no credential"},
		{reason: "a good file that comes back is good", data: document(server, token), at: "2026-02-01"},
		{reason: "a certificate is valid within its time", data: ends, at: "2026-02-01"},
		{reason: "the same file ends to be valid", data: ends, at: "2026-04-01", want: over},
		{reason: "a clock that is put right makes it valid again", data: ends, at: "2026-02-01"},
		{reason: "a file that is too large is refused", data: strings.Repeat("#", 2<<20), at: "2026-02-01",
			want: "is larger than 1048576 bytes"},
		{reason: "after one that is too large the former is still known", data: ends, at: "2026-02-01"},
	}
	var parser kubeconfig.Parser
	for _, l := range looks {
		target, err := parser.Parse([]byte(l.data), day(l.at))
		got := ""
		if err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(l.want, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", l.reason, diff)
		}
		want, err := kubeconfig.Parse([]byte(l.data), kubeconfig.Options{})
		if diff := cmp.Diff(want, target); diff != "" {
			t.Errorf("%s: the target: -want +got:\n%s (%v)", l.reason, diff, err)
		}
	}
}

func TestParserOfReusedBuffer(t *testing.T) {
	var parser kubeconfig.Parser
	buffer := []byte(document(server, "token: aaaa"))
	if _, err := parser.Parse(buffer, time.Time{}); err != nil {
		t.Fatal(err)
	}
	copy(buffer, document(server, "token: bbbb"))
	target, err := parser.Parse(buffer, time.Time{})
	if err != nil || target.Token.Reveal() != "bbbb" {
		t.Errorf("a buffer that its owner fills anew is another file: %v", err)
	}
	parser.Forget()
	if _, err := parser.Parse([]byte("kind: Secret"), time.Time{}); !errors.As(err, new(*kubeconfig.FieldError)) {
		t.Errorf("want a *FieldError after Forget, got %v", err)
	}
}

func BenchmarkParse(b *testing.B) {
	data := bundled(b)
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			if _, err := kubeconfig.Parse(data, kubeconfig.Options{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("again", func(b *testing.B) {
		var parser kubeconfig.Parser
		for b.Loop() {
			if _, err := parser.Parse(data, time.Time{}); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("again, at a time", func(b *testing.B) {
		parser := kubeconfig.Parser{}
		for b.Loop() {
			if _, err := parser.Parse(data, time.Unix(2e9, 0)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

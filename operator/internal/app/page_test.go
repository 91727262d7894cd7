package app

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestPageFlags: half of what makes a front proxy believed is refused, and without flags there is no
// page.
func TestPageFlags(t *testing.T) {
	options, err := parsed(t)
	must(t, err)
	if options.Page.serves() {
		t.Error("the page is on by default")
	}
	options, err = parsed(t, "--page-bind-address=:8443", "--page-cert-dir=/tls", "--page-audiences=a,b",
		"--page-proxy-ca=/ca.crt", "--page-proxy-names=front,second proxy")
	must(t, err)
	want := PageOptions{Address: ":8443", CertDir: "/tls", Audiences: []string{"a", "b"}, ProxyCA: "/ca.crt",
		ProxyNames: []string{"front", "second proxy"}}
	if diff := cmp.Diff(want, options.Page); diff != "" || !options.Page.serves() {
		t.Errorf("-want +got:\n%s", diff)
	}
	for reason, args := range map[string][]string{
		"an authority signs others than front proxies too": {"--page-proxy-ca=/ca.crt"},
		"a name that nobody vouches for is anybody's":      {"--page-proxy-names=front"},
		"an empty name is that of many certificates":       {"--page-proxy-ca=/ca.crt", "--page-proxy-names=front,"},
		"an empty audience is none":                        {"--page-audiences=a,"},
	} {
		if _, err := parsed(t, args...); err == nil || !strings.Contains(err.Error(), "--page-") {
			t.Errorf("%s: %v", reason, err)
		}
	}
}

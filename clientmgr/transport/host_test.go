package transport_test

import (
	"net/url"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/transport"
)

// TestHost: whatever a cluster is called, its requests go to a host and nowhere below it.
func TestHost(t *testing.T) {
	hosts := map[string]string{}
	for _, name := range []string{"east", "a.b", "namespace/east", "namespace-east", "EAST", "ost ü", "a?b", "a#b", "u:p@h",
		"a:1", "a%2fb", "[::1]", `a\b`, "east\n"} {
		parsed, err := url.Parse(transport.Host(name))
		if err != nil {
			t.Fatal(err)
		}
		if parsed.Path != "" || parsed.RawQuery != "" || parsed.Fragment != "" || parsed.User != nil || parsed.Port() != "" {
			t.Errorf("%q: %+v", name, parsed)
		}
		if other, taken := hosts[parsed.Host]; taken {
			t.Errorf("%q and %q are one host: %s", name, other, parsed.Host)
		}
		hosts[parsed.Host] = name
	}
	if got := transport.Host("cluster-east"); got != "https://cluster-east.invalid" {
		t.Errorf("a usual name is there to be read, got %s", got)
	}
}

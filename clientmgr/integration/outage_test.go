package integration

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

// TestOutageIsResumed breaks the streams as well, so that every watch has to be opened again while the cluster does not let it.
func TestOutageIsResumed(t *testing.T) {
	cases := map[string]struct {
		reason string
		fault  faults.Fault
		want   string
	}{
		"refused":      {"the server is away", faults.Fault{Kind: faults.Refuse}, clientmgr.ReasonUnreachable},
		"reset":        {"a firewall in between", faults.Fault{Kind: faults.Reset}, clientmgr.ReasonUnreachable},
		"errors":       {"a load balancer without a server", faults.Fault{Kind: faults.Errors, Rate: 1}, clientmgr.ReasonUnreachable},
		"unauthorized": {"an authenticator that is away", faults.Fault{Kind: faults.Unauthorized}, clientmgr.ReasonUnauthorized},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, nil)
			proxy := f.proxy(east, false)
			f.config("east", f.admin(east, proxy.Addr()))
			f.connects("east")
			f.must(east.admin.Create(t.Context(), f.configMap("held")))
			f.sees("east", "held")
			held := f.client("east")
			before := f.audited(east)
			f.must(proxy.Set(tc.fault))
			f.reaches("east", clientmgr.Degraded, tc.want)
			f.refused("east", held, clientmgr.ErrNotConnected)
			f.must(east.admin.Create(t.Context(), f.configMap("meanwhile")))
			f.must(proxy.Set(faults.Fault{}))
			f.connects("east")
			f.sees("east", "meanwhile")
			after := f.audited(east)
			if diff := cmp.Diff(before.relists, after.relists); diff != "" {
				t.Errorf("%s: relists: -want +got:\n%s", tc.reason, diff)
			}
			if after.watches == before.watches {
				t.Error("the stream outlived the fault: the test is about nothing")
			}
		})
	}
}

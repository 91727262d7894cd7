package transport_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/transport"
)

// TestEndpointPrintsNoSecret has a story: %v of an endpoint showed its token, because fmt asks
// unexported fields for no methods.
func TestEndpointPrintsNoSecret(t *testing.T) {
	endpoint, err := transport.NewEndpoint(kubeconfig.Target{
		Server: url.URL{Scheme: "https", Host: "hunter2"}, Token: kubeconfig.NewSecret("hunter2"),
	}, transport.EndpointOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, value := range []any{endpoint, *endpoint, []*transport.Endpoint{endpoint}} {
			if shown := fmt.Sprintf(verb, value); strings.Contains(shown, "hunter2") {
				t.Errorf("%s of %T shows a value: %s", verb, value, shown)
			}
		}
	}
}

package transport_test

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/transport"
)

func TestEndpointKeepsEncodedSlashes(t *testing.T) {
	cases := map[string]struct{ reason, path, raw, request, want string }{
		"in the server's path": {
			reason: "a front proxy takes a name with a slash for another cluster than two names",
			path:   "/clusters/a/b", raw: "/clusters/a%2Fb", request: "/version", want: "/clusters/a%2Fb/version",
		},
		"in the request": {
			reason: "the name of an object may hold an encoded slash",
			path:   "/clusters/east", request: "/x/a%2Fb", want: "/clusters/east/x/a%2Fb",
		},
		"in none": {
			reason: "what needs no encoding gets none",
			path:   "/clusters/east", request: "/version", want: "/clusters/east/version",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			server := newAPI(t, "t")
			uris := make(chan string, 1)
			server.Config.Handler = http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { uris <- r.RequestURI })
			target := server.target(t, "t")
			target.Server.Path, target.Server.RawPath = tc.path, tc.raw
			endpoint, err := transport.NewEndpoint(target, transport.EndpointOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer endpoint.Close()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://cluster.invalid"+tc.request, nil)
			if err != nil {
				t.Fatal(err)
			}
			resp, err := endpoint.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			_ = resp.Body.Close()
			if diff := cmp.Diff(tc.want, <-uris); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

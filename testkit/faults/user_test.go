package faults_test

import (
	"crypto/tls"
	"crypto/x509/pkix"
	"encoding/asn1"
	"io"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

// ask returns what the API server takes the client for.
func ask(t *testing.T, c *http.Client, addr string, header http.Header) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://"+addr+"/whoami", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header = header
	resp, err := c.Do(r)
	if err != nil {
		return "error: " + err.Error()
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK {
		return resp.Status
	}
	return string(text)
}

func TestIdentities(t *testing.T) {
	w := newWorld(t)
	ann := w.clients.issue(t, pkix.Name{CommonName: "ann", Organization: []string{"ops", "system:masters"}})
	numbered := w.clients.issue(t, pkix.Name{CommonName: "bob", ExtraNames: []pkix.AttributeTypeAndValue{
		{Type: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57683, 2}, Value: "42"},
	}})
	nobody := w.clients.issue(t, pkix.Name{Organization: []string{"system:masters"}})
	stranger := newAuthority(t, "strangers").issue(t, pkix.Name{CommonName: "ann"})
	token := http.Header{"Authorization": {"Bearer t"}}
	forged := http.Header{
		"X-Remote-User": {"root"}, "X-Remote-Group": {"system:masters"}, "x-remote-extra-scopes": {"all"},
		"X-REMOTE-UID": {"1"},
	}
	cases := map[string]struct {
		reason string
		certs  []tls.Certificate
		header http.Header
		want   string
	}{
		"Anonymous": {"Nobody stays nobody, and is not the front proxy", nil, nil, `token="" proxied=false stray=[]`},
		"Token": {"A token travels as it is, on a connection without the front proxy's name", nil, token,
			`token="Bearer t" proxied=false stray=[]`},
		"Certificate": {"A certificate's user and groups arrive", []tls.Certificate{ann}, nil,
			"front ann uid= groups=[ops system:masters] credential=true"},
		"UID": {"So does a UID", []tls.Certificate{numbered}, nil, "front bob uid=42 groups=[] credential=true"},
		"Both": {"The certificate wins over a token", []tls.Certificate{ann}, token,
			"front ann uid= groups=[ops system:masters] credential=true"},
		"Nameless": {"A certificate without a name is nobody's", []tls.Certificate{nobody}, nil,
			`token="" proxied=false stray=[]`},
		"Stranger": {"A certificate of somebody else's authority", []tls.Certificate{stranger}, nil, "401 Unauthorized"},
		"StrangerToken": {"The same with a token: that decides", []tls.Certificate{stranger}, token,
			`token="Bearer t" proxied=false stray=[]`},
		"Forged": {"Headers of a front proxy from a client are stripped", nil, forged,
			`token="" proxied=false stray=[]`},
		"ForgedByAnn": {"From a known client, too", []tls.Certificate{ann}, forged,
			"front ann uid= groups=[ops system:masters] credential=true"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			byProtocol(t, func(t *testing.T, protocol string) {
				p := w.proxy(t, terminate)
				if diff := cmp.Diff(tc.want, ask(t, w.client(t, protocol, tc.certs...), p.Addr(), tc.header.Clone())); diff != "" {
					t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
				}
			})
		})
	}
	t.Run("PassedThrough", func(t *testing.T) {
		got := ask(t, w.client(t, "h2", ann), w.proxy(t, nil).Addr(), nil)
		if diff := cmp.Diff("certificate ann", got); diff != "" {
			t.Errorf("TLS is end to end: -want +got:\n%s", diff)
		}
	})
}

func TestFilesMayBeReplaced(t *testing.T) {
	byProtocol(t, func(t *testing.T, protocol string) {
		w := newWorld(t)
		p := w.proxy(t, terminate)
		ann := w.clients.issue(t, pkix.Name{CommonName: "ann"})
		const known = "front ann uid= groups=[] credential=true"
		before := w.client(t, protocol, ann)
		if got := ask(t, before, p.Addr(), nil); got != known {
			t.Fatalf("got %q", got)
		}

		oldServing := *w
		w.serving = newAuthority(t, "serving 2")
		writePEM(t, w.options.ServingCert, "CERTIFICATE", []byte("half written"))
		if got := ask(t, oldServing.client(t, protocol, ann), p.Addr(), nil); got != known {
			t.Errorf("while the certificate is half written: %q, want the last good one to serve", got)
		}
		writePair(t, w.serving.issue(t, pkix.Name{CommonName: "apiserver"}), w.options.ServingCert, w.options.ServingKey)
		if got := ask(t, w.client(t, protocol, ann), p.Addr(), nil); got != known {
			t.Errorf("with the new serving certificate: %q", got)
		}
		if got := ask(t, oldServing.client(t, protocol, ann), p.Addr(), nil); got == known {
			t.Errorf("the old serving certificate is still shown")
		}

		w.clients = newAuthority(t, "clients 2")
		w.clients.write(t, w.options.ClientCA)
		if got := ask(t, before, p.Addr(), nil); got != "401 Unauthorized" {
			t.Errorf("an old client certificate on an open connection: %q, want 401", got)
		}
		if got := ask(t, w.client(t, protocol, w.clients.issue(t, pkix.Name{CommonName: "ann"})), p.Addr(),
			nil); got != known {
			t.Errorf("a new client certificate: %q", got)
		}
	})
}

func TestTargetMoves(t *testing.T) {
	byProtocol(t, func(t *testing.T, protocol string) {
		for _, change := range []bool{false, true} {
			old, next := newWorld(t), newWorld(t)
			p := old.proxy(t, func(o *faults.Options) { o.Terminate = change })
			s := openWatch(t, old, p, old.client(t, protocol))
			if err := p.SetTarget(next.api.addr()); err != nil {
				t.Fatal(err)
			}
			if err := p.SetTarget("nowhere"); err == nil {
				t.Error("a target without port: got no error")
			}
			next.serving.write(t, old.options.TargetCA)
			serving := old
			if !change {
				serving = next
			}
			if got, want := ask(t, serving.client(t, protocol), p.Addr(), nil), `token="" proxied=false stray=[]`; got != want {
				t.Errorf("terminated %t: %q, want %q", change, got, want)
			}
			old.api.emit("on")
			s.wantNext(t, "on")
		}
	})
}

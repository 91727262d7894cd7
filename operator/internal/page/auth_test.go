package page_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/page"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/page/access"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// TestWhoSeesWhat asks a real API server about people with different rights.
func TestWhoSeesWhat(t *testing.T) {
	s := serve(t, setting{})
	cases := map[string]struct {
		reason string
		rights [][2]string // resource and namespace, "" for all
		code   int
		want   string // names of all rows, or a part of the sentence
	}{
		"All": {
			reason: "Who may list everything sees everything.",
			rights: [][2]string{{"machines", ""}, {"kubevirtconfigs", configsNamespace}},
			code:   http.StatusOK, want: "blue/web green/database red/secret-project cluster-east",
		},
		"OneNamespace": {
			reason: "Who may list Machines of one namespace learns nothing of others, nor of clusters.",
			rights: [][2]string{{"machines", "blue"}},
			code:   http.StatusOK, want: "blue/web",
		},
		"TwoNamespaces": {
			reason: "Rights in two namespaces add up.",
			rights: [][2]string{{"machines", "blue"}, {"machines", "green"}},
			code:   http.StatusOK, want: "blue/web green/database",
		},
		"ClustersAlone": {
			reason: "The right to KubevirtConfigs gives no right to Machines.",
			rights: [][2]string{{"kubevirtconfigs", configsNamespace}},
			code:   http.StatusOK, want: "cluster-east",
		},
		"Elsewhere": {
			reason: "KubevirtConfigs of another namespace are not those that are shown.",
			rights: [][2]string{{"kubevirtconfigs", "blue"}},
			code:   http.StatusForbidden, want: "may list neither Machines nor KubevirtConfigs",
		},
		"Nothing": {
			reason: "Who may list nothing is told what to ask for.",
			code:   http.StatusForbidden, want: "Ask for the right to list machines.vitistack.io",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			someone := newPerson(t, "sees-"+strings.ToLower(name))
			for _, right := range tc.rights {
				someone.mayList(right[0], right[1])
			}
			token, _ := someone.token()
			got := s.get("/fleet.json", bearer(token))
			if got.code != tc.code {
				t.Fatalf("%s It answers %d: %s", tc.reason, got.code, got.body)
			}
			if tc.code != http.StatusOK {
				if !strings.Contains(got.body, tc.want) || !strings.Contains(got.body, someone.name) {
					t.Errorf("%s It says %q", tc.reason, got.body)
				}
				return
			}
			fleet := got.fleet(t)
			if names(fleet) != tc.want || !strings.HasSuffix(fleet.Viewer, ":"+someone.name) {
				t.Errorf("%s %s sees %q, want %q", tc.reason, fleet.Viewer, names(fleet), tc.want)
			}
			if !strings.Contains(tc.want, "secret-project") && strings.Contains(got.body, "secret-project") {
				t.Errorf("%s The history names a Machine that is not shown: %s", tc.reason, got.body)
			}
			_, events := s.first(bearer(token))
			if names(events) != tc.want {
				t.Errorf("%s The stream begins with %q, want %q", tc.reason, names(events), tc.want)
			}
		})
	}
}

// TestNobody: without a credential that the supervisor knows there are no data, but a sentence.
func TestNobody(t *testing.T) {
	s := serve(t, setting{})
	someone := newPerson(t, "nobody")
	someone.mayList("machines", "")
	elsewhere, _ := someone.token("vault.example.com")
	ended, end := someone.token()
	end()
	for name, header := range map[string]map[string]string{
		"NoToken":       nil,
		"Garbage":       bearer("no-token-at-all"),
		"OtherAudience": bearer(elsewhere),
		"Ended":         bearer(ended),
		"Long":          bearer(strings.Repeat("x", 20<<10)),
		"NoBearer":      {"Authorization": "Basic bm9ib2R5Om5vdGhpbmc="},
		"Headers":       {"X-Remote-User": "admin", "X-Remote-Group": "system:masters", "X-Forwarded-User": "admin"},
		"UnknownCookie": {"Cookie": "kubevirt-operator-page=AAAA"},
	} {
		for _, path := range []string{"/fleet.json", "/events"} {
			got := s.get(path, header)
			if got.code != http.StatusUnauthorized || !strings.Contains(got.body, "Sign in") ||
				got.header.Get("WWW-Authenticate") != "Bearer" || strings.Contains(got.body, "web") {
				t.Errorf("%s gets %d from %s: %s", name, got.code, path, got.body)
			}
		}
	}
}

// TestAudiences: a token that is for the page alone is of no use anywhere else, and one for the API
// server is none for the page.
func TestAudiences(t *testing.T) {
	s := serve(t, setting{access: access.Options{Audiences: []string{"fleet-page"}}})
	someone := newPerson(t, "audience")
	someone.mayList("machines", "blue")
	own, _ := someone.token("fleet-page")
	general, _ := someone.token()
	if got := s.get("/fleet.json", bearer(own)); names(got.fleet(t)) != "blue/web" {
		t.Errorf("its own audience gets %d: %s", got.code, got.body)
	}
	if got := s.get("/fleet.json", bearer(general)); got.code != http.StatusUnauthorized {
		t.Errorf("the API server's audience gets %d", got.code)
	}
}

// TestFrontProxy: headers count with the certificate of a front proxy, and never without.
func TestFrontProxy(t *testing.T) {
	ca, err := controlplane.NewCA("proxies")
	must(t, err)
	other, err := controlplane.NewCA("others")
	must(t, err)
	file := filepath.Join(t.TempDir(), "ca.crt")
	must(t, os.WriteFile(file, ca.Cert, 0o600))
	s := serve(t, setting{access: access.Options{ProxyCA: file, ProxyNames: []string{"front-proxy"}}})
	someone := newPerson(t, "proxied")
	someone.mayList("machines", "blue")
	headers := map[string]string{"X-Remote-User": "system:serviceaccount:default:" + someone.name}
	cases := map[string]struct {
		reason string
		by     *controlplane.CA
		name   string
		code   int
	}{
		"Proxy":     {reason: "The front proxy says who it is.", by: ca, name: "front-proxy", code: http.StatusOK},
		"OtherName": {reason: "The authority signs others too.", by: ca, name: "somebody", code: http.StatusUnauthorized},
		"OtherCA":   {reason: "Anybody can sign the name.", by: other, name: "front-proxy", code: http.StatusUnauthorized},
		"None": {reason: "That it comes from loopback proves nothing: so does what kubectl port-forward lets in.",
			code: http.StatusUnauthorized},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			from := s
			if tc.by != nil {
				pair, err := tc.by.Client(tc.name)
				must(t, err)
				from = s.withCertificate(pair)
			}
			got := from.get("/fleet.json", headers)
			if got.code != tc.code {
				t.Fatalf("%s It gets %d: %s", tc.reason, got.code, got.body)
			}
			if tc.code == http.StatusOK && names(got.fleet(t)) != "blue/web" {
				t.Errorf("%s It sees %s", tc.reason, got.body)
			}
		})
	}
	if _, err := access.New(&rest.Config{}, http.DefaultClient, access.Options{ProxyCA: file}); err == nil {
		t.Error("an authority without names is believed")
	}
}

// TestSession signs in and out as a browser does.
func TestSession(t *testing.T) {
	s := serve(t, setting{access: access.Options{Keep: time.Second}})
	someone := newPerson(t, "session")
	someone.mayList("machines", "blue")
	token, end := someone.token()
	elsewhere, _ := someone.token("vault.example.com")
	form := url.Values{"token": {" " + token + "\n"}}
	for name, refused := range map[string]url.Values{
		"None": {}, "Words": {"token": {"a b"}}, "Garbage": {"token": {"garbage"}}, "OtherAudience": {"token": {elsewhere}},
	} {
		if got := s.do(http.MethodPost, "/sign-in", nil, refused); got.code != http.StatusUnauthorized || len(got.body) < 20 {
			t.Errorf("%s signs in with %d: %s", name, got.code, got.body)
		}
	}
	if got := s.do(http.MethodPost, "/sign-in", nil, url.Values{"token": {strings.Repeat("x", 64<<10)}}); got.code != http.StatusBadRequest {
		t.Errorf("a form of 64 KiB is answered %d", got.code)
	}
	evil := map[string]string{"Origin": "https://evil.example.com", "Sec-Fetch-Site": "cross-site"}
	if got := s.do(http.MethodPost, "/sign-in", evil, form); got.code != http.StatusForbidden {
		t.Errorf("another site signs somebody in with %d", got.code)
	}
	signedIn := s.do(http.MethodPost, "/sign-in", nil, form)
	cookie := signedIn.header.Get("Set-Cookie")
	if signedIn.code != http.StatusNoContent {
		t.Fatalf("signing in answers %d: %s", signedIn.code, signedIn.body)
	}
	for _, want := range []string{"HttpOnly", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("the cookie %q is not %s", cookie, want)
		}
	}
	if strings.Contains(cookie, token[:20]) || strings.Contains(cookie, "Max-Age") || strings.Contains(cookie, "Expires") {
		t.Errorf("the cookie has the token in it, or outlives the browser: %s", cookie)
	}
	if got := s.get("/fleet.json", nil); names(got.fleet(t)) != "blue/web" {
		t.Errorf("the session sees %s", got.body)
	}
	if got := s.get("/fleet.json", bearer("garbage")); got.code != http.StatusUnauthorized {
		t.Errorf("a bad token beside a good session gets %d", got.code)
	}
	if got := s.get("/fleet.json", evil); got.code != http.StatusForbidden {
		t.Errorf("another site reads with %d", got.code)
	}
	if got := s.do(http.MethodPost, "/sign-out", evil, url.Values{}); got.code != http.StatusForbidden {
		t.Errorf("another site signs somebody out with %d", got.code)
	}
	s.do(http.MethodPost, "/sign-out", nil, url.Values{})
	if got := s.get("/fleet.json", map[string]string{"Cookie": strings.Split(cookie, ";")[0]}); got.code != http.StatusUnauthorized {
		t.Errorf("a session that is over sees %d: %s", got.code, got.body)
	}
	s.do(http.MethodPost, "/sign-in", nil, form)
	end()
	eventually.Eventually(t, 30*time.Second, "the session ends with its token", func(context.Context) error {
		if got := s.get("/fleet.json", nil); got.code != http.StatusUnauthorized {
			return errors.New(got.body)
		}
		return nil
	})
}

// TestStrangers: whoever knocks with tokens that nobody knows does not knock at the supervisor as
// often, and keeps nobody out who is in.
func TestStrangers(t *testing.T) {
	s := serve(t, setting{access: access.Options{Keep: 100 * time.Millisecond}})
	someone := newPerson(t, "in")
	someone.mayList("machines", "blue")
	token, _ := someone.token()
	s.do(http.MethodPost, "/sign-in", nil, url.Values{"token": {token}})
	before, began := reviews(t), time.Now()
	var knocking sync.WaitGroup
	const strangers = 300
	ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
	defer stop()
	for i := range strangers {
		knocking.Go(func() {
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"fleet.json", http.NoBody)
			if err != nil {
				t.Error(err)
				return
			}
			request.Header.Set("Authorization", "Bearer garbage-"+fmtInt(i))
			if response, err := http.DefaultTransport.RoundTrip(request); err == nil {
				response.Body.Close()
				if response.StatusCode == http.StatusOK {
					t.Error("a stranger is let in")
				}
			}
		})
	}
	for range 3 {
		if got := s.get("/fleet.json", nil); got.code != http.StatusOK {
			t.Errorf("who is in gets %d: %s", got.code, got.body)
		}
	}
	knocking.Wait()
	asked, most := reviews(t)-before, 20+int(10*time.Since(began).Seconds())+10
	t.Logf("%d strangers made %d TokenReviews in %s", strangers, asked, time.Since(began))
	if asked > most || asked < 5 {
		t.Errorf("%d strangers made %d TokenReviews, and may make %d", strangers, asked, most)
	}
}

// reviews is the number of TokenReviews that the API server has answered.
func reviews(t *testing.T) int { t.Helper(); return answered(t, `"resource":"tokenreviews"`) }

// answered is the number of requests that the API server has answered in whose entry of the audit
// log a text stands. Watches are answered when they end, which may be those of an earlier test.
func answered(t *testing.T, text string) int {
	t.Helper()
	content, err := os.ReadFile(world.audit)
	must(t, err)
	count := 0
	for line := range strings.Lines(string(content)) {
		if strings.Contains(line, text) && strings.Contains(line, `"stage":"ResponseComplete"`) &&
			!strings.Contains(line, `"verb":"watch"`) {
			count++
		}
	}
	return count
}

// TestNoVerdict: where the supervisor does not say who somebody is, nobody sees anything.
func TestNoVerdict(t *testing.T) {
	someone := newPerson(t, "verdict")
	someone.mayList("machines", "")
	token, _ := someone.token()
	port, err := controlplane.FreePort()
	must(t, err)
	dead := rest.CopyConfig(world.plane.Config())
	dead.Host = "https://127.0.0.1:" + fmtInt(port)
	noRight, err := world.plane.ConfigFor(controlplane.User{Name: "operator-without-rights"})
	must(t, err)
	for name, gate := range map[string]*rest.Config{"Dead": dead, "NoRight": noRight} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, setting{gate: gate})
			for _, path := range []string{"/fleet.json", "/events"} {
				got := s.get(path, bearer(token))
				if got.code != http.StatusServiceUnavailable || !strings.Contains(got.body, "gives no verdict") {
					t.Errorf("%s answers %d: %s", path, got.code, got.body)
				}
				if strings.Contains(got.body, "127.0.0.1") {
					t.Errorf("the address of the API server is told: %s", got.body)
				}
			}
		})
	}
}

// TestHeaders: every answer forbids what the page does not do.
func TestHeaders(t *testing.T) {
	s := serve(t, setting{})
	for _, path := range []string{"/", "/page.js", "/page.css", "/icon.svg", "/fleet.json", "/events", "/nowhere"} {
		got := s.get(path, nil)
		policy := got.header.Get("Content-Security-Policy")
		for _, want := range []string{"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'",
			"base-uri 'none'", "form-action 'self'", "require-trusted-types-for 'script'"} {
			if !strings.Contains(policy, want) {
				t.Errorf("%s has the policy %q, without %s", path, policy, want)
			}
		}
		if strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") || strings.Contains(policy, "data:") {
			t.Errorf("%s has the policy %q", path, policy)
		}
		for name, want := range map[string]string{"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff",
			"Referrer-Policy": "no-referrer", "Cross-Origin-Resource-Policy": "same-origin"} {
			if got.header.Get(name) != want {
				t.Errorf("%s has %s %q", path, name, got.header.Get(name))
			}
		}
	}
	if got := s.do(http.MethodHead, "/events", nil, nil); got.code != http.StatusMethodNotAllowed {
		t.Errorf("a stream without a body is answered %d", got.code)
	}
	for _, method := range []string{http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodPost} {
		if got := s.do(method, "/fleet.json", nil, nil); got.code != http.StatusMethodNotAllowed {
			t.Errorf("%s is answered %d: the page is read-only", method, got.code)
		}
	}
}

// TestTLS: an address that is not loopback, and a page that front proxies come to, have TLS.
func TestTLS(t *testing.T) {
	someone := newPerson(t, "tls")
	someone.mayList("machines", "blue")
	token, _ := someone.token()
	pair, err := mustCA(t).Server("localhost", "127.0.0.1")
	must(t, err)
	dir := t.TempDir()
	must(t, pair.WriteFiles(filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")))
	for name, options := range map[string]page.Options{
		"Own": {Address: "0.0.0.0:0"}, "Given": {CertDir: dir},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, setting{page: options})
			s.url = strings.Replace(s.url, "[::]", "127.0.0.1", 1)
			s.url = strings.Replace(s.url, "0.0.0.0", "127.0.0.1", 1)
			if !strings.HasPrefix(s.url, "https://") {
				t.Fatalf("it is served at %s", s.url)
			}
			got := s.do(http.MethodPost, "/sign-in", nil, url.Values{"token": {token}})
			cookie := got.header.Get("Set-Cookie")
			if !strings.HasPrefix(cookie, "__Host-") || !strings.Contains(cookie, "Secure") {
				t.Errorf("the cookie is %q", cookie)
			}
			if got := s.get("/fleet.json", nil); names(got.fleet(t)) != "blue/web" {
				t.Errorf("it shows %s", got.body)
			}
		})
	}
}

func mustCA(t *testing.T) *controlplane.CA {
	t.Helper()
	ca, err := controlplane.NewCA("serving")
	must(t, err)
	return ca
}

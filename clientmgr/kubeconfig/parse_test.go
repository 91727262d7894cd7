package kubeconfig_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
)

// secret stands in every value of the tests' kubeconfigs. It must not come out in an error.
const secret = "hunter2"

func document(cluster, user string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: %[3]s-context
contexts:
- name: %[3]s-context
  context: {cluster: %[3]s-cluster, user: %[3]s-user}
clusters:
- name: %[3]s-cluster
  cluster: {%[1]s}
users:
- name: %[3]s-user
  user: {%[2]s}
`, cluster, user, secret)
}

const (
	server = "server: 'https://hunter2.example.com:6443'"
	token  = "token: hunter2-token"
)

// pair returns a self-signed certificate that is valid for long and its key, in PEM.
func pair(t testing.TB) (certificate, key []byte) {
	return pairOf(t, time.Unix(0, 0), time.Unix(4e9, 0))
}

func pairOf(t testing.TB, from, until time.Time) (certificate, key []byte) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "operator"},
		NotBefore: from, NotAfter: until}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	der8, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der8})
}

func b64(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

func TestParseAccepts(t *testing.T) {
	certificate, key := pair(t)
	hiddenToken := kubeconfig.NewSecret("hunter2-token")
	https := url.URL{Scheme: "https", Host: "hunter2.example.com:6443"}
	cases := map[string]struct {
		reason  string
		data    string
		options kubeconfig.Options
		want    kubeconfig.Target
	}{
		"token": {
			reason: "the usual service account", data: document(server, token),
			want: kubeconfig.Target{Server: https, Token: hiddenToken},
		},
		"token with a line end": {
			reason: "made from a file with one", data: document(server, `token: "hunter2-token\n"`),
			want: kubeconfig.Target{Server: https, Token: hiddenToken},
		},
		"client certificate and CA": {
			reason: "an administrator's file",
			data: document(server+", tls-server-name: api, certificate-authority-data: "+b64(certificate),
				"client-certificate-data: "+b64(certificate)+", client-key-data: "+b64(key)),
			want: kubeconfig.Target{Server: https, ServerName: "api", CA: certificate, Certificate: certificate,
				Key: kubeconfig.NewSecret(string(key))},
		},
		"password": {
			reason: "a front proxy may want it", data: document(server, "username: hunter2, password: hunter2"),
			want: kubeconfig.Target{Server: https, Username: secret, Password: kubeconfig.NewSecret(secret)},
		},
		"path": {
			reason: "one address for many clusters", data: document("server: 'https://h/clusters/east/'", token),
			want: kubeconfig.Target{Server: url.URL{Scheme: "https", Host: "h", Path: "/clusters/east"}, Token: hiddenToken},
		},
		"the only context": {
			reason: "tools leave current-context out",
			data:   strings.Replace(document(server, token), "current-context: hunter2-context\n", "", 1),
			want:   kubeconfig.Target{Server: https, Token: hiddenToken},
		},
		"another context is bad": {
			reason: "entries that are not used do nothing",
			data:   document(server, token) + "- name: other\n  user: {exec: {command: sh, apiVersion: v1}}\n",
			want:   kubeconfig.Target{Server: https, Token: hiddenToken},
		},
		"proxy, allowed": {
			reason: "an option allows a proxy", data: document(server+", proxy-url: 'socks5://p:1080'", token),
			options: kubeconfig.Options{AllowProxy: true},
			want:    kubeconfig.Target{Server: https, Token: hiddenToken, Proxy: &url.URL{Scheme: "socks5", Host: "p:1080"}},
		},
		"insecure, allowed": {
			reason: "an option allows a server without proof", data: document(server+", insecure-skip-tls-verify: true", token),
			options: kubeconfig.Options{AllowInsecure: true},
			want:    kubeconfig.Target{Server: https, Token: hiddenToken, Insecure: true},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := kubeconfig.Parse([]byte(tc.data), tc.options)
			if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
			if printed := fmt.Sprintf("%v %+v %#v %s", got, got, got, got); strings.Contains(printed, secret) {
				t.Errorf("a printed Target tells a secret: %s", printed)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	certificate, key := pair(t)
	other, _ := pair(t)
	const user, cluster = "users[].user.", "clusters[].cluster."
	cases := map[string]struct {
		reason, data, field string
	}{
		"exec": {"runs a program here",
			document(server, token+", exec: {command: hunter2, apiVersion: v1}"), user + "exec"},
		"exec, other case": {"a decoder that ignores the case would run it",
			document(server, token+", Exec: {command: hunter2, apiVersion: v1}"), user + "exec"},
		"auth-provider": {"runs a plugin", document(server, token+", auth-provider: {name: hunter2}"), user +
			"auth-provider"},
		"tokenFile": {"reads our own token", document(server, "tokenFile: /hunter2"), user + "tokenFile"},
		"client-certificate": {"reads a file", document(server, token+", client-certificate: /hunter2"), user +
			"client-certificate"},
		"client-key": {"reads a file", document(server, token+", client-key: /hunter2"), user + "client-key"},
		"certificate-authority": {"reads a file", document(server+", certificate-authority: /hunter2", token), cluster +
			"certificate-authority"},
		"insecure": {"anybody could be the cluster",
			document(server+", insecure-skip-tls-verify: true", token), cluster + "insecure-skip-tls-verify"},
		"proxy": {"steers our traffic", document(server+", proxy-url: 'http://hunter2'", token), cluster +
			"proxy-url"},
		"as":     {"acts as somebody else", document(server, token+", as: hunter2"), user + "as"},
		"as-uid": {"acts as somebody else", document(server, token+", as-uid: hunter2"), user + "as-uid"},
		"as-groups": {"acts as somebody else", document(server, token+", as-groups: [hunter2]"), user +
			"as-groups"},
		"as-user-extra": {"acts as somebody else", document(server, token+", as-user-extra: {hunter2: [x]}"), user +
			"as-user-extra"},
		"no server": {"leads nowhere", document("server: ''", token), cluster + "server"},
		"http": {"the token goes in the clear", document("server: 'http://hunter2'", token), cluster +
			"server"},
		"unix": {"a socket of this machine", document("server: 'unix:///hunter2'", token), cluster +
			"server"},
		"server with credentials": {"they would come out in errors", document("server: 'https://a:hunter2@h'", token),
			cluster + "server"},
		"server with a query": {"not an address", document("server: 'https://h?hunter2'", token), cluster + "server"},
		"no URL":              {"not an address", document("server: 'https://%hunter2'", token), cluster + "server"},
		"no credential":       {"anonymous is never meant", document(server, ""), "users[].user"},
		"token with a line": {"would forge a header", document(server, `token: "hunter2\nX-Remote-User: admin"`), user +
			"token"},
		"token and password": {"tools differ in which one counts", document(server, token+", username: hunter2"), user +
			"token"},
		"bad CA": {"no PEM", document(server+", certificate-authority-data: "+b64([]byte(secret)), token),
			cluster + "certificate-authority-data"},
		"certificate alone": {"no key", document(server, "client-certificate-data: "+b64(certificate)), user +
			"client-key-data"},
		"key alone": {"no certificate", document(server, "client-key-data: "+b64(key)), user +
			"client-certificate-data"},
		"pair that is none": {"another's key", document(server,
			"client-certificate-data: "+b64(other)+", client-key-data: "+b64(key)), user + "client-key-data"},
		"no context": {"nothing is chosen", "{}", "current-context"},
		"unknown context": {"nothing is chosen",
			strings.Replace(document(server, token), "current-context: hunter2", "current-context: x", 1), "current-context"},
		"two users of a name": {"tools differ in which one counts", document(server, token) +
			"- name: hunter2-user\n  user: {token: hunter2}\n", "contexts[].context.user"},
		"another kind":  {"not a kubeconfig", "kind: Secret", "kind"},
		"not YAML":      {"garbage", "a: [hunter2", ""},
		"not an object": {"garbage", "hunter2", ""},
		"too large":     {"nobody's kubeconfig", strings.Repeat("#", 1<<20+1), ""},
		"YAML bomb": {"grows without end when expanded",
			"a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n" +
				"e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\ng: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nh: [*g,*g,*g,*g,*g,*g,*g,*g]\n", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := kubeconfig.Parse([]byte(tc.data), kubeconfig.Options{})
			var refused *kubeconfig.FieldError
			if !errors.As(err, &refused) {
				t.Fatalf("%s: want a *FieldError, got %v", tc.reason, err)
			}
			if diff := cmp.Diff(tc.field, refused.Field); diff != "" {
				t.Errorf("%s: field: -want +got:\n%s", tc.reason, diff)
			}
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error tells a value: %v", err)
			}
		})
	}
}

func TestTargetComparisons(t *testing.T) {
	base := kubeconfig.Target{Server: url.URL{Scheme: "https", Host: "a"}, CA: []byte("ca"),
		Token: kubeconfig.NewSecret("t")}
	change := func(f func(*kubeconfig.Target)) kubeconfig.Target {
		changed := base
		f(&changed)
		return changed
	}
	cases := map[string]struct {
		reason                          string
		other                           kubeconfig.Target
		equal, sameEndpoint, sameServer bool
	}{
		"itself": {"nothing changed", base, true, true, true},
		"token": {"goes with each request", change(func(t *kubeconfig.Target) {
			t.Token = kubeconfig.NewSecret("u")
		}), false, true, true},
		"certificate": {"belongs to the connection", change(func(t *kubeconfig.Target) {
			t.Certificate = []byte("c")
		}), false, false, true},
		"CA": {"another server may answer", change(func(t *kubeconfig.Target) { t.CA = nil }), false, false, false},
		"address": {"another server may answer", change(func(t *kubeconfig.Target) {
			t.Server.Host = "b"
		}), false, false, false},
		"proxy": {"another server may answer", change(func(t *kubeconfig.Target) {
			t.Proxy = &url.URL{Host: "p"}
		}), false, false, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := []bool{base.Equal(tc.other), base.SameEndpoint(tc.other), base.SameServer(tc.other)}
			if diff := cmp.Diff([]bool{tc.equal, tc.sameEndpoint, tc.sameServer}, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

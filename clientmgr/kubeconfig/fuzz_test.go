package kubeconfig_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
)

// fieldPath is what a field may look like: it is made of our words, never of the file's.
var fieldPath = regexp.MustCompile(`^([a-zA-Z-]+(\[\])?(\.[a-zA-Z-]+(\[\])?)*)?$`)

// FuzzParse looks for a kubeconfig that is accepted and should not be, for one that is understood
// in another way than client-go does, and for an error that quotes the file.
func FuzzParse(f *testing.F) {
	certificate, key := pair(f)
	keys := "client-certificate-data: " + b64(certificate) + ", client-key-data: " + b64(key)
	for _, seed := range []string{
		"", "hunter2", "null", "[]", "\x00", "apiVersion: v1", `{"kind":"Config"}`,
		document(server, token), document(server, keys), document(server, "username: hunter2, password: hunter2"),
		document("server: 'http://hunter2:80'", token), document(server+", insecure-skip-tls-verify: true", token),
		document(server+", proxy-url: 'socks5://hunter2:1080'", token),
		document(server+", certificate-authority: /hunter2", token),
		document(server+", certificate-authority-data: "+b64(certificate), token),
		document(server+", tls-server-name: hunter2", keys),
		document(server, token+", exec: {command: hunter2}"), document(server, "tokenFile: /hunter2"),
		document(server, token+", as: hunter2"),
		document(server, "auth-provider: {name: hunter2}"), document(server, token+", as-groups: [hunter2]"),
		"clusters: [hunter2, &a hunter2, *a]\n<<: {}", document(server+", Server: hunter2", "token: !!binary aHVudGVyMg=="),
		document("server: 'https://h/a%2Fhunter2%2F/'", "token: yes"), document(server, "token: 0123"),
		document("server: 'https://hunter2@h/?x=y#z'", token), document("server: 'https://[::1]:6443/hunter2/'", token),
		strings.ReplaceAll(document(server, token), "hunter2-context", "other"), document(server, token) +
			document(server, token),
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		target, err := kubeconfig.Parse(data, kubeconfig.Options{})
		if !bytes.Equal(before, data) {
			t.Fatal("the file was changed")
		}
		loose, looseErr := kubeconfig.Parse(data, kubeconfig.Options{AllowProxy: true, AllowInsecure: true})
		if err != nil {
			checkRefusal(t, err)
			if looseErr != nil {
				checkRefusal(t, looseErr)
			}
			return
		}
		if looseErr != nil || !loose.Equal(target) {
			t.Errorf("what is accepted strictly is understood otherwise loosely: %v", looseErr)
		}
		checkTarget(t, target)
		checkSameAsClientGo(t, data, target)
	})
}

func checkRefusal(t *testing.T, err error) {
	t.Helper()
	var field *kubeconfig.FieldError
	if !errors.As(err, &field) {
		t.Fatalf("not a *FieldError: %T", err)
	}
	if !fieldPath.MatchString(field.Field) || field.Problem == "" || len(err.Error()) > 200 ||
		strings.Contains(err.Error(), secret) {
		t.Errorf("an error that is not made of our words: %v", err)
	}
}

// checkTarget holds for whatever is accepted strictly.
func checkTarget(t *testing.T, target kubeconfig.Target) {
	t.Helper()
	switch {
	case target.Server.Scheme != "https", target.Server.Hostname() == "", target.Server.User != nil,
		target.Server.RawQuery != "":
		t.Errorf("server: %v", target.Server)
	case target.Proxy != nil, target.Insecure:
		t.Error("a proxy, or a server that is not verified")
	case len(target.Certificate) == 0 != target.Key.IsZero():
		t.Error("half a client certificate")
	case target.Token.IsZero() && target.Username == "" && len(target.Certificate) == 0:
		t.Error("no credential")
	case !target.Token.IsZero() && target.Username != "":
		t.Error("two credentials for one header")
	case strings.ContainsAny(target.Token.Reveal(), "\r\n \x00"):
		t.Error("a token that breaks the header")
	case !target.SameEndpoint(target), !target.Equal(target):
		t.Error("not the same as itself")
	}
	if shown := fmt.Sprintf("%v %+v %#v %s", target, target, target, target); strings.Contains(shown, secret) {
		t.Errorf("a value of the kubeconfig is shown: %s", shown)
	}
}

// checkSameAsClientGo compares with how client-go understands the same file. Nothing that it would
// execute or read is in what we accept.
func checkSameAsClientGo(t *testing.T, data []byte, target kubeconfig.Target) {
	t.Helper()
	theirs, err := clientcmd.RESTConfigFromKubeConfig(data)
	if err != nil {
		return // stricter than we are: about contexts, certificates, duplicates
	}
	if theirs.ExecProvider != nil || theirs.AuthProvider != nil || theirs.BearerTokenFile != "" || theirs.CAFile != "" ||
		theirs.CertFile != "" ||
		theirs.KeyFile != "" || theirs.Insecure || theirs.Impersonate.UserName != "" || theirs.Proxy != nil {
		t.Error("client-go finds something active in what was accepted")
	}
	server, err := url.Parse(theirs.Host)
	if err != nil || server.Host != target.Server.Host ||
		strings.TrimRight(server.EscapedPath(), "/") != target.Server.EscapedPath() {
		t.Errorf("another server than client-go's: %s, want %s (%v)", target.Server.String(), theirs.Host, err)
	}
	if strings.TrimSpace(theirs.BearerToken) != target.Token.Reveal() || theirs.Username != target.Username ||
		theirs.Password != target.Password.Reveal() {
		t.Error("another credential than client-go's")
	}
}

package kubeconfig_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
)

// formCase is a kubeconfig with a mistake in its form, and what a person reads about it.
type formCase struct{ reason, data, want string }

func runForms(t *testing.T, cases map[string]formCase) {
	t.Helper()
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := kubeconfig.Parse([]byte(tc.data), kubeconfig.Options{})
			if err == nil {
				t.Fatalf("%s: it was accepted", tc.reason)
			}
			checkRefusal(t, err)
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestParseNamesTheField(t *testing.T) {
	certificate, key := pair(t)
	const ca, data = "certificate-authority-data: ", "client-certificate-data: "
	pem := strings.ReplaceAll(string(certificate), "\n", `\n`)
	runForms(t, map[string]formCase{
		"not base64": {
			reason: "the decoder's own error names no field and quotes the file",
			data:   document(server+", "+ca+"hunter2!", token),
			want:   "clusters[].cluster.certificate-authority-data: is not base64",
		},
		"PEM as it is": {
			reason: "people paste the file of a certificate where base64 of it belongs",
			data:   document(server, data+`"`+pem+`"`),
			want:   "users[].user.client-certificate-data: is PEM; a kubeconfig has base64 of it",
		},
		"encoded twice": {
			reason: "what was copied out of a Secret's data was encoded before",
			data:   document(server+", "+ca+b64([]byte(b64(certificate))), token),
			want:   "clusters[].cluster.certificate-authority-data: is base64 encoded twice",
		},
		"base64 of something else": {
			reason: "the field is right, its content is another file",
			data:   document(server+", "+ca+b64([]byte(secret)), token),
			want:   "clusters[].cluster.certificate-authority-data: is base64, but not of PEM",
		},
		"no certificate in the PEM": {
			reason: "the key stands where the certificate belongs",
			data:   document(server, data+b64(key)+", client-key-data: "+b64(key)),
			want:   "users[].user.client-certificate-data: holds no PEM certificate",
		},
		"no key in the PEM": {
			reason: "the certificate stands where the key belongs",
			data:   document(server, data+b64(certificate)+", client-key-data: "+b64(certificate)),
			want:   "users[].user.client-key-data: holds no PEM private key",
		},
		"encrypted key": {
			reason: "a key with a passphrase is of no use to a program",
			data: document(server, data+b64(certificate)+", client-key-data: "+
				b64([]byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"))),
			want: "users[].user.client-key-data: is encrypted; no passphrase is asked for here",
		},
		"encrypted key, older form": {
			reason: "OpenSSL's own form says in a header that it is encrypted",
			data: document(server, data+b64(certificate)+", client-key-data: "+b64([]byte("-----BEGIN RSA PRIVATE KEY-----\n"+
				"Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nMAAA\n-----END RSA PRIVATE KEY-----\n"))),
			want: "users[].user.client-key-data: is encrypted; no passphrase is asked for here",
		},
		"a word for a boolean": {
			reason: "a boolean has two values",
			data:   document(server+", insecure-skip-tls-verify: hunter2", token),
			want:   "clusters[].cluster.insecure-skip-tls-verify: is not true or false",
		},
		"a list for a text": {
			reason: "one token is wanted",
			data:   document(server, "token: [hunter2]"),
			want:   "users[].user.token: is no text",
		},
		"a text for a mapping": {
			reason: "a user has fields",
			data:   strings.Replace(document(server, token), "user: {token: hunter2-token}", "user: hunter2", 1),
			want:   "users[].user: is no mapping",
		},
		"a mapping for a list": {
			reason: "people write the one cluster without its dash",
			data:   "clusters: {name: hunter2}",
			want:   "clusters: is no list",
		},
		"server without a scheme": {
			reason: "an address alone is what people know of a server",
			data:   document("server: 'hunter2.example.com:6443'", token),
			want:   "clusters[].cluster.server: has no scheme; it begins with https://",
		},
		"server with a port that is none": {
			reason: "a dial would fail with an error that does not name the kubeconfig",
			data:   document("server: 'https://hunter2:64430000'", token),
			want:   "clusters[].cluster.server: has a port that does not exist",
		},
		"what kubectl config view leaves out": {
			reason: "kubectl hides secrets unless it is asked for them",
			data:   document(server+", "+ca+"DATA+OMITTED", "token: REDACTED"),
			want: "clusters[].cluster.certificate-authority-data: was left out by kubectl config view; " +
				"it is there with --raw",
		},
		"token out of a Secret": {
			reason: "the values of a Secret are base64 of what they mean",
			data:   document(server, "token: "+b64([]byte(jwt(`{"sub":"hunter2"}`)))),
			want:   "users[].user.token: is base64 encoded, as in a Secret's data",
		},
		"token that YAML takes for a number": {
			reason: "a decoder reads 0123 as 83, and the server would be asked with that",
			data:   document(server, "token: 0123"),
			want:   "users[].user.token: is no text for YAML; it needs quotation marks",
		},
		"password that YAML takes for a boolean": {
			reason: "a decoder reads yes as true, and the server would be asked with that",
			data:   document(server, "username: hunter2, password: yes"),
			want:   "users[].user.password: is no text for YAML; it needs quotation marks",
		},
		"context without a cluster": {
			reason: "the context names a cluster that the file does not have",
			data:   strings.Replace(document(server, token), "- name: hunter2-cluster", "- name: other", 1),
			want:   "contexts[].context.cluster: does not name exactly one cluster",
		},
		"context without a user": {
			reason: "the context names a user that the file does not have",
			data:   strings.Replace(document(server, token), "- name: hunter2-user", "- name: other", 1),
			want:   "contexts[].context.user: does not name exactly one user",
		},
		"another version": {
			reason: "a later version may mean other things by the same words",
			data:   strings.Replace(document(server, token), "apiVersion: v1", "apiVersion: v2", 1),
			want:   "apiVersion: is not v1",
		},
	})
}

func TestParseRefusesTwoMeanings(t *testing.T) {
	runForms(t, map[string]formCase{
		"a key twice": {
			reason: "tools differ in which of two servers they take",
			data:   document("server: 'https://good', server: 'https://hunter2'", token),
			want:   "clusters[].cluster.server: has one key twice, on lines 9 and 9",
		},
		"a list twice": {
			reason: "tools differ in which of two lists of users they take",
			data:   document(server, token) + "users: []\n",
			want:   "users: has one key twice, on lines 10 and 13",
		},
		"an unknown key twice": {
			reason: "no name of the file comes out, so its place is named",
			data:   document(server+", hunter2: a, hunter2: b", token),
			want:   "clusters[].cluster: has one key twice, on lines 9 and 9",
		},
		"a key twice in what is not read": {
			reason: "a file with one key twice is no YAML, wherever it is",
			data:   document(server, token) + "preferences: {a: [{hunter2: a, hunter2: b}]}\n",
			want:   "preferences: has one key twice, on lines 13 and 13",
		},
		"another case": {
			reason: "some decoders ignore the case of a key, and others the key",
			data:   document("Server: 'https://hunter2'", token),
			want:   "clusters[].cluster.server: is spelled otherwise on line 9",
		},
		"another case by another letter": {
			reason: "a decoder takes the long s for an s",
			data:   document("\u017ferver: 'https://hunter2'", token),
			want:   "clusters[].cluster.server: is spelled otherwise on line 9",
		},
		"another way to join words": {
			reason: "a bundle that is passed over leaves the system's own in force",
			data:   document(server+", certificateAuthorityData: hunter2", token),
			want:   "clusters[].cluster.certificate-authority-data: is spelled otherwise on line 9",
		},
		"alias": {
			reason: "a short text that stands for a long one grows without end",
			data:   "a: &a [hunter2]\nb: [*a, *a]\n",
			want:   "has a YAML alias on line 2",
		},
		"merge key": {
			reason: "decoders differ in what a merged key overrides",
			data:   document("<<: {server: 'https://hunter2'}", token),
			want:   "has a YAML merge key on line 9",
		},
		"tag": {
			reason: "a tag makes another text of a value than the one that is read in review",
			data:   document(server, "token: !!binary aHVudGVyMg=="),
			want:   "has a YAML tag on line 12",
		},
		"two documents": {
			reason: "client-go takes the first, other tools the last",
			data:   document(server, token) + "---\n" + document(server, token),
			want:   "has more than one YAML document",
		},
	})
}

func TestParseNamesTheFile(t *testing.T) {
	runForms(t, map[string]formCase{
		"empty":         {reason: "the Secret's key is there, without a value", data: "", want: "is empty"},
		"comments only": {reason: "nothing was filled in", data: "# hunter2\n---\n", want: "is empty"},
		"encoded twice": {
			reason: "stringData took what belongs into data",
			data:   b64([]byte(document(server, token))),
			want:   "is base64 of a kubeconfig: it was encoded once too often",
		},
		"encoded twice, in lines": {
			reason: "base64 breaks its lines where it is not told otherwise",
			data:   b64([]byte(document(server, token)))[:76] + "\n" + b64([]byte(document(server, token)))[76:] + "\n",
			want:   "is base64 of a kubeconfig: it was encoded once too often",
		},
		"a token alone": {
			reason: "somebody took the token for the kubeconfig", data: secret,
			want: "is no mapping with clusters, users and contexts",
		},
		"indented with a tab": {
			reason: "the editor's tab looks like spaces",
			data:   "apiVersion: v1\nclusters:\n- name: hunter2\n\tcluster: {}\n",
			want:   "is no YAML: line 4 is indented with a tab, which YAML does not allow",
		},
		"no YAML": {
			reason: "the line helps, and the parser's own words may quote the file",
			data:   "apiVersion: v1\nusers: [hunter2\n",
			want:   "is neither YAML nor JSON, near line 1",
		},
	})
}

// TestParseReadsOtherForms holds what tools and editors write besides plain YAML.
func TestParseReadsOtherForms(t *testing.T) {
	plain := document(server, token)
	json := `{"apiVersion":"v1","kind":"Config","current-context":"c",` +
		"\n\t" + `"contexts":[{"name":"c","context":{"cluster":"c","user":"u"}}],` +
		"\n\t" + `"clusters":[{"name":"c","cluster":{"server":"https://hunter2.example.com:6443"}}],` +
		"\n\t" + `"users":[{"name":"u","user":{"token":"hunter2-token"}}]}`
	cases := map[string]struct{ reason, data string }{
		"JSON with tabs":    {"some tools write JSON, which may be indented with tabs", json},
		"byte order mark":   {"some editors write one", "\ufeff" + plain},
		"Windows line ends": {"a file from Windows", strings.ReplaceAll(plain, "\n", "\r\n")},
		"UTF-16":            {"PowerShell writes it when output is redirected", utf16le("\ufeff" + plain)},
		"number as a name":  {"a name that looks like a number is a name", strings.ReplaceAll(plain, "hunter2-user", "1.10")},
		"empty document after it": {"a generator ends each document with dashes",
			"---\n" + plain + "---\n"},
		"field that no kubeconfig has": {"kubectl ignores it too", plain + "hunter2: {hunter2: [a, a]}\n"},
		"null values": {"a template that has no value for a field",
			document(server+", proxy-url: null", token+", exec: ~")},
		"extensions": {"minikube keeps notes in them",
			document(server+", extensions: [{name: hunter2, extension: {a: 1}}]", token)},
	}
	want, err := kubeconfig.Parse([]byte(plain), kubeconfig.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := kubeconfig.Parse([]byte(tc.data), kubeconfig.Options{})
			if err != nil {
				t.Fatalf("%s: %v", tc.reason, err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func utf16le(text string) string {
	var out strings.Builder
	for _, unit := range utf16.Encode([]rune(text)) {
		out.WriteByte(byte(unit))
		out.WriteByte(byte(unit >> 8))
	}
	return out.String()
}

// jwt returns a token with these claims that no server would accept.
func jwt(claims string) string {
	encode := base64.RawURLEncoding.EncodeToString
	return encode([]byte(`{"alg":"RS256"}`)) + "." + encode([]byte(claims)) + "." + encode([]byte("signature"))
}

func TestServerPath(t *testing.T) {
	cases := map[string]struct{ reason, server, want string }{
		"encoded slash":            {"a name with a slash is another place than two names", "https://h/a%2Fb", "/a%2Fb"},
		"encoded slash at the end": {"it belongs to the name", "https://h/a%2F/", "/a%2F"},
		"encoded letter":           {"it stays as it was written", "https://h/%61", "/%61"},
		"space":                    {"a space has one form", "https://h/a%20b/", "/a%20b"},
		"only a slash":             {"the root has no path", "https://h/", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := kubeconfig.Parse([]byte(document("server: '"+tc.server+"'", token)), kubeconfig.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got.Server.EscapedPath()); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func manyKeys(count int) string {
	var keys strings.Builder
	for i := range count {
		fmt.Fprintf(&keys, "%d-: 1,", i)
	}
	return keys.String()
}

func TestHugeFilesEndSoon(t *testing.T) {
	const size = 1 << 20
	for name, data := range map[string]string{
		"deep":    strings.Repeat("[", size),
		"wide":    "a: [" + strings.Repeat("a,", size/2-8) + "]",
		"aliases": "a: &a {}\nb: [" + strings.Repeat("*a,", size/3-8) + "]",
		"keys":    "users: {" + strings.Repeat("? ", size/2-8) + "}",
		"fields":  "clusters: [{cluster: {" + manyKeys(size/10) + "}}]",
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := kubeconfig.Parse([]byte(data), kubeconfig.Options{})
			if took := time.Since(start); took > time.Minute { // what never ends takes hours
				t.Errorf("it took %v", took)
			}
			if field := (*kubeconfig.FieldError)(nil); !errors.As(err, &field) {
				t.Errorf("want a *FieldError, got %v", err)
			}
		})
	}
}

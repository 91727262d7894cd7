package cluster

import (
	"encoding/base64"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestSecretOf(t *testing.T) {
	token := func(payload string) string {
		return "eyJhbGciOiJSUzI1NiJ9." + base64.RawURLEncoding.EncodeToString([]byte(payload)) + ".c2lnbmF0dXJl"
	}
	cases := map[string]struct{ reason, token, want string }{
		"bound": {
			reason: "A token that was asked for names the Secret that it is bound to.",
			token:  token(`{"kubernetes.io":{"namespace":"n","secret":{"name":"s","uid":"u"}}}`), want: "n/s",
		},
		"of a Secret": {
			reason: "A Secret of a service account has a token that names it.",
			token:  token(`{"kubernetes.io/serviceaccount/namespace":"n","kubernetes.io/serviceaccount/secret.name":"s"}`),
			want:   "n/s",
		},
		"not bound": {
			reason: "A token of kubectl create token is bound to nothing.",
			token:  token(`{"kubernetes.io":{"namespace":"n"}}`),
		},
		"no token":   {reason: "A certificate is no token.", token: ""},
		"not ours":   {reason: "Another issuer's token says nothing of a Secret.", token: token(`{"sub":"x"}`)},
		"not a JWT":  {reason: "A static token has no parts.", token: "a.b.c"},
		"not JSON":   {reason: "Garbage names nothing.", token: token(`garbage`)},
		"two pieces": {reason: "Garbage names nothing.", token: "a.b"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			secret, found := secretOf(tc.token)
			if found != (tc.want != "") || found && client.ObjectKeyFromObject(&secret).String() != tc.want {
				t.Errorf("%s It is %s/%s (%t), want %q", tc.reason, secret.Namespace, secret.Name, found, tc.want)
			}
		})
	}
}

func TestTokenEnds(t *testing.T) {
	for want, end := range map[string]time.Time{
		", and does not end by itself":         {},
		", until 2031-02-03: rotate it before": time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC),
	} {
		if got := (token{expires: end}).ends(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

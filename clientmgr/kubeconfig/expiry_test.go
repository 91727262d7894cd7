package kubeconfig_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
)

func TestNotAfter(t *testing.T) {
	certificate, key := pairOf(t, day("2026-01-01"), day("2026-03-01"))
	pair := "client-certificate-data: " + b64(certificate) + ", client-key-data: " + b64(key)
	claims := func(text string) string { return "token: " + jwt(text) }
	cases := map[string]struct {
		reason, user string
		want         time.Time
	}{
		"client certificate": {
			reason: "the certificate says when it ends", user: pair, want: day("2026-03-01"),
		},
		"token that says when it ends": {
			reason: "service accounts' tokens are JWTs with a time", user: claims(`{"exp":1767225600}`), want: day("2026-01-01"),
		},
		"token that ends before the certificate": {
			reason: "the server takes neither alone for granted, so the earlier end counts",
			user:   pair + ", " + claims(`{"exp":1769904000}`), want: day("2026-02-01"),
		},
		"token that ends after the certificate": {
			reason: "without the certificate there is no connection",
			user:   pair + ", " + claims(`{"exp":1798761600}`), want: day("2026-03-01"),
		},
		"part of a second": {
			reason: "RFC 7519 allows fractions", user: claims(`{"exp":1767225600.5}`),
			want: day("2026-01-01").Add(time.Second / 2),
		},
		"token without a time": {reason: "older service accounts' tokens never end", user: claims(`{"sub":"a"}`)},
		"token that is no JWT": {reason: "nothing can be read in an opaque token", user: token},
		"time that is no number": {
			reason: "whoever wrote the Secret may have written anything", user: claims(`{"exp":"soon"}`),
		},
		"time out of bounds": {
			reason: "a number of any size must not become a time in the past", user: claims(`{"exp":1e300}`),
		},
		"negative time": {reason: "no token ended before 1970", user: claims(`{"exp":-1}`)},
		"password":      {reason: "a password has no time", user: "username: a, password: b"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			target, err := kubeconfig.Parse([]byte(document(server, tc.user)), kubeconfig.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, target.NotAfter()); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

package kubeconfig_test

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
)

func day(text string) time.Time {
	at, err := time.Parse(time.DateOnly, text)
	if err != nil {
		panic(err)
	}
	return at
}

func TestCheckAt(t *testing.T) {
	certificate, key := pairOf(t, day("2026-01-01"), day("2026-03-01"))
	later, _ := pairOf(t, day("2026-06-01"), day("2026-09-01"))
	user := "client-certificate-data: " + b64(certificate) + ", client-key-data: " + b64(key)
	ca := server + ", certificate-authority-data: "
	cases := map[string]struct{ reason, data, at, want string }{
		"valid": {
			reason: "all is as it should be",
			data:   document(ca+b64(certificate), user), at: "2026-02-01",
		},
		"client certificate is over": {
			reason: "the server would say no more than that a certificate is bad",
			data:   document(server, user), at: "2026-03-02",
			want: "users[].user.client-certificate-data: is over since 2026-03-01T00:00:00Z",
		},
		"client certificate is not valid yet": {
			reason: "the clock of this machine or of the issuer is wrong",
			data:   document(server, user), at: "2025-12-31",
			want: "users[].user.client-certificate-data: is not valid before 2026-01-01T00:00:00Z",
		},
		"CA is over": {
			reason: "no server certificate can be verified with it",
			data:   document(ca+b64(certificate), token), at: "2026-03-02",
			want: "clusters[].cluster.certificate-authority-data: is over since 2026-03-01T00:00:00Z",
		},
		"one CA of two is over": {
			reason: "a bundle holds the former CA and the next while they change",
			data:   document(ca+b64(append(certificate, later...)), token), at: "2026-07-01",
		},
		"between two CAs": {
			reason: "the one that comes is what a person waits for",
			data:   document(ca+b64(append(certificate, later...)), token), at: "2026-05-01",
			want: "clusters[].cluster.certificate-authority-data: is not valid before 2026-06-01T00:00:00Z",
		},
		"nothing that ends": {
			reason: "a token has no time that can be trusted",
			data:   document(server, token), at: "2026-05-01",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			target, err := kubeconfig.Parse([]byte(tc.data), kubeconfig.Options{})
			if err != nil {
				t.Fatalf("Parse knows no clock: %v", err)
			}
			err = target.CheckAt(day(tc.at))
			got := ""
			if err != nil {
				checkRefusal(t, err)
				got = err.Error()
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
			if errors.Is(err, kubeconfig.ErrNotValidNow) != (tc.want != "") {
				t.Errorf("%s: want ErrNotValidNow, got %v", tc.reason, err)
			}
		})
	}
}

package faults

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"

	"k8s.io/client-go/transport"
)

// credentialID is the extra attribute by which the API server tells which certificate a user came
// with.
const credentialID = "authentication.kubernetes.io/credential-id"

// uidType is the object identifier of the subject's attribute that the API server takes for the
// user's UID.
func uidType() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57683, 2} }

// user is who a client certificate speaks for, as the API server reads it.
type user struct {
	name, uid string
	groups    []string
	extra     map[string][]string
}

// certificateUser returns the user of the certificate that r came with: found is false when there
// is none, or one that names nobody; err when it does not verify against roots.
func certificateUser(r *http.Request, roots *x509.CertPool) (u user, found bool, err error) {
	if r.TLS == nil || len(r.TLS.PeerCertificates) == 0 {
		return user{}, false, nil
	}
	leaf := r.TLS.PeerCertificates[0]
	intermediates := x509.NewCertPool()
	for _, c := range r.TLS.PeerCertificates[1:] {
		intermediates.AddCert(c)
	}
	_, err = leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: intermediates, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return user{}, false, fmt.Errorf("verifying the client certificate: %w", err)
	}
	if leaf.Subject.CommonName == "" {
		return user{}, false, nil
	}
	uid, err := subjectUID(leaf)
	if err != nil {
		return user{}, false, err
	}
	sum := sha256.Sum256(leaf.Raw)
	return user{
		name: leaf.Subject.CommonName, uid: uid, groups: leaf.Subject.Organization,
		extra: map[string][]string{credentialID: {"X509SHA256=" + hex.EncodeToString(sum[:])}},
	}, true, nil
}

// subjectUID returns the subject's one UID, "" for none.
func subjectUID(leaf *x509.Certificate) (string, error) {
	var uid string
	for _, name := range leaf.Subject.Names {
		if !name.Type.Equal(uidType()) {
			continue
		}
		value, ok := name.Value.(string)
		if !ok || value == "" || uid != "" {
			return "", fmt.Errorf("client certificate of %q: want one UID that is a string", leaf.Subject.CommonName)
		}
		uid = value
	}
	return uid, nil
}

// present puts the user into the front-proxy headers of r.
func (u user) present(r *http.Request) {
	transport.SetAuthProxyHeaders(r, u.name, u.uid, u.groups, u.extra)
}

// stripUser removes every header by which a front proxy names a user, however it is spelled.
func stripUser(h http.Header) {
	for key := range h {
		if strings.HasPrefix(strings.ToLower(key), "x-remote-") {
			delete(h, key)
		}
	}
}

// fronted reports whether r carries a user that present has put there.
func fronted(r *http.Request) bool { return r.Header.Get("X-Remote-User") != "" }

// hasToken reports whether r carries a credential of its own, in the header or as a websocket
// protocol.
func hasToken(r *http.Request) bool {
	return r.Header.Get("Authorization") != "" ||
		strings.Contains(strings.Join(r.Header.Values("Sec-Websocket-Protocol"), ","),
			"base64url.bearer.authorization.k8s.io.")
}

package kubeconfig

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"strings"

	clientcmdv1 "k8s.io/client-go/tools/clientcmd/api/v1"
)

const (
	fieldCA          = "clusters[].cluster.certificate-authority-data"
	fieldCertificate = "users[].user.client-certificate-data"
	fieldKey         = "users[].user.client-key-data"
)

func (t *Target) setCA(cluster clientcmdv1.Cluster) error {
	if len(cluster.CertificateAuthorityData) == 0 {
		return nil
	}
	bundle := certificates(cluster.CertificateAuthorityData)
	if len(bundle) == 0 {
		return refuse(fieldCA, "holds no PEM certificate")
	}
	t.CA = cluster.CertificateAuthorityData
	t.caTimes = timesOf(bundle)
	return nil
}

func (t *Target) setCertificate(user clientcmdv1.AuthInfo) error {
	certificate, key := user.ClientCertificateData, user.ClientKeyData
	switch {
	case len(certificate) == 0 && len(key) == 0:
		return nil
	case len(certificate) == 0:
		return refuse(fieldCertificate, "is not set, but client-key-data is")
	case len(key) == 0:
		return refuse(fieldKey, "is not set, but client-certificate-data is")
	}
	chain := certificates(certificate)
	switch {
	case len(chain) == 0:
		return refuse(fieldCertificate, "holds no PEM certificate")
	case encrypted(key):
		return refuse(fieldKey, "is encrypted; no passphrase is asked for here")
	case !holdsKey(key):
		return refuse(fieldKey, "holds no PEM private key")
	}
	if _, err := tls.X509KeyPair(certificate, key); err != nil {
		return refuse(fieldKey, "cannot be read, or does not belong to client-certificate-data")
	}
	t.Certificate, t.Key = certificate, NewSecret(string(key))
	t.certificateTimes = timesOf(chain[:1])
	return nil
}

// certificates returns those of a bundle that can be read. Others are passed over, as TLS does.
func certificates(bundle []byte) []*x509.Certificate {
	var found []*x509.Certificate
	for block, rest := pem.Decode(bundle); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" || len(block.Headers) > 0 {
			continue
		}
		if certificate, err := x509.ParseCertificate(block.Bytes); err == nil {
			found = append(found, certificate)
		}
	}
	return found
}

func encrypted(key []byte) bool {
	for block, rest := pem.Decode(key); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "ENCRYPTED PRIVATE KEY" || strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED") {
			return true
		}
	}
	return false
}

func holdsKey(key []byte) bool {
	for block, rest := pem.Decode(key); block != nil; block, rest = pem.Decode(rest) {
		if strings.HasSuffix(block.Type, "PRIVATE KEY") {
			return true
		}
	}
	return false
}

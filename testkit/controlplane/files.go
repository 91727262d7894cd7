package controlplane

import (
	"bytes"
	"os"
	"path/filepath"

	"k8s.io/client-go/util/keyutil"
)

// Files are the paths of a cluster's certificates. A server that stands in front of the API server
// can use them to act as it does. Those that rotation replaces are replaced in one step each.
type Files struct {
	// ClientCA holds every authority whose client certificates the API server takes.
	ClientCA string
	// ServingCA holds the authority of the certificate that clients see who connect by address.
	ServingCA string
	// ServingCert and ServingKey are that certificate.
	ServingCert, ServingKey string
	// FrontProxyCA is the authority whose clients may name the user in X-Remote- headers;
	// FrontProxyCert and FrontProxyKey are such a client.
	FrontProxyCA, FrontProxyCert, FrontProxyKey string

	internalCert, internalKey string // what clients see who ask for internalName
	serviceAccountKey         string
	auditPolicy               string
}

func filesIn(dir string) Files {
	at := func(name string) string { return filepath.Join(dir, name) }
	return Files{
		ClientCA:  at("client-ca.crt"),
		ServingCA: at("serving-ca.crt"), ServingCert: at("serving.crt"), ServingKey: at("serving.key"),
		FrontProxyCA: at("front-proxy-ca.crt"), FrontProxyCert: at("front-proxy.crt"), FrontProxyKey: at("front-proxy.key"),
		internalCert: at("internal.crt"), internalKey: at("internal.key"),
		serviceAccountKey: at("service-account.key"),
		auditPolicy:       at("audit-policy.yaml"),
	}
}

// auditPolicy leaves out the stage at which a request came in: a line for each answer is what gets
// counted. Watches are logged when they start.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
`

// authorities are a cluster's certificate authorities.
type authorities struct {
	internal   *CA // signs for the cluster's own programs; never rotated
	serving    *CA // signs what remote clients see
	client     *CA // signs remote clients
	frontProxy *CA
}

func newAuthorities() (authorities, error) {
	var all authorities
	for _, a := range []struct {
		to   **CA
		name string
	}{
		{&all.internal, "internal-ca"}, {&all.serving, "serving-ca"}, {&all.client, "client-ca"},
		{&all.frontProxy, "front-proxy-ca"},
	} {
		ca, err := NewCA(a.name)
		if err != nil {
			return authorities{}, err
		}
		*a.to = ca
	}
	return all, nil
}

// write puts everything that the API server reads into files.
func (a authorities) write(files Files) error {
	internal, err := a.internal.Server(internalName, loopback)
	if err != nil {
		return err
	}
	proxy, err := a.frontProxy.Client("front-proxy-client")
	if err != nil {
		return err
	}
	serviceAccountKey, err := keyutil.MakeEllipticPrivateKeyPEM()
	if err != nil {
		return err
	}
	for file, content := range map[string][]byte{
		files.FrontProxyCA:      a.frontProxy.Cert,
		files.serviceAccountKey: serviceAccountKey,
		files.auditPolicy:       []byte(auditPolicy),
	} {
		if err := replaceFile(file, content); err != nil {
			return err
		}
	}
	if err := internal.WriteFiles(files.internalCert, files.internalKey); err != nil {
		return err
	}
	if err := proxy.WriteFiles(files.FrontProxyCert, files.FrontProxyKey); err != nil {
		return err
	}
	if err := a.writeClientCA(files); err != nil {
		return err
	}
	return a.writeServing(files)
}

// writeClientCA makes the API server take certificates of the internal and the client authority,
// and of older ones if given.
func (a authorities) writeClientCA(files Files, older ...*CA) error {
	bundle := [][]byte{a.internal.Cert, a.client.Cert}
	for _, ca := range older {
		bundle = append(bundle, ca.Cert)
	}
	return replaceFile(files.ClientCA, bytes.Join(bundle, nil))
}

func (a authorities) writeServing(files Files) error {
	serving, err := a.serving.Server(loopback, "localhost")
	if err != nil {
		return err
	}
	if err := replaceFile(files.ServingCA, a.serving.Cert); err != nil {
		return err
	}
	return serving.WriteFiles(files.ServingCert, files.ServingKey)
}

// makeDirs makes folders that only the owner can read.
func makeDirs(dirs ...string) error {
	for _, dir := range dirs {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return err
		}
	}
	return nil
}

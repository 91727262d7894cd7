package kubeconfig

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/url"
	"strings"

	clientcmdv1 "k8s.io/client-go/tools/clientcmd/api/v1"
	"sigs.k8s.io/yaml"
)

// maxBytes is what the API server accepts as a Secret (1 MiB).
const maxBytes = 1 << 20

// Options loosen what Parse refuses. The zero value is the strict one.
type Options struct {
	// AllowProxy accepts proxy-url (http, https, socks5). It lets the kubeconfig's author see and
	// steer the traffic's route.
	AllowProxy bool
	// AllowInsecure accepts insecure-skip-tls-verify and plain http. Whoever sits on the wire can then
	// be the cluster.
	AllowInsecure bool
}

// FieldError says which field of a kubeconfig is refused, and why.
type FieldError struct {
	// Field is a path as a kubeconfig spells it, as "users[].user.exec"; the context in use decides
	// which entry is meant. "" is the whole file.
	Field string
	// Problem is a sentence without any value of the kubeconfig.
	Problem string
}

// Error returns "field: problem".
func (e *FieldError) Error() string {
	if e.Field == "" {
		return e.Problem
	}
	return e.Field + ": " + e.Problem
}

func refuse(field, problem string) error { return &FieldError{Field: field, Problem: problem} }

// Parse reads a kubeconfig in YAML or JSON. It looks at the entries of current-context alone (of
// the only context, where current-context is unset). Each error is a *FieldError: the first field
// at fault.
func Parse(data []byte, options Options) (Target, error) {
	if len(data) > maxBytes {
		return Target{}, refuse("", fmt.Sprintf("larger than %d bytes", maxBytes))
	}
	var file clientcmdv1.Config
	if err := yaml.Unmarshal(data, &file); err != nil {
		return Target{}, refuse("", "neither YAML nor JSON of a kubeconfig") // err may quote the file
	}
	if file.Kind != "" && file.Kind != "Config" {
		return Target{}, refuse("kind", "is not Config")
	}
	cluster, user, err := selectEntries(file)
	if err != nil {
		return Target{}, err
	}
	target := Target{ServerName: cluster.TLSServerName}
	for _, step := range []func() error{
		func() error { return refuseCluster(cluster, options) },
		func() error { return refuseUser(user) },
		func() error { return target.setServer(cluster, options) },
		func() error { return target.setProxy(cluster) },
		func() error { return target.setCA(cluster) },
		func() error { return target.setCertificate(user) },
		func() error { return target.setCredential(user) },
	} {
		if err := step(); err != nil {
			return Target{}, err
		}
	}
	return target, nil
}

func selectEntries(file clientcmdv1.Config) (clientcmdv1.Cluster, clientcmdv1.AuthInfo, error) {
	none := func(field, problem string) (clientcmdv1.Cluster, clientcmdv1.AuthInfo, error) {
		return clientcmdv1.Cluster{}, clientcmdv1.AuthInfo{}, refuse(field, problem)
	}
	current := file.CurrentContext
	if current == "" {
		if len(file.Contexts) != 1 {
			return none("current-context", "is not set, and there is not exactly one context")
		}
		current = file.Contexts[0].Name
	}
	context, found := only(file.Contexts, func(c clientcmdv1.NamedContext) bool { return c.Name == current })
	if !found {
		return none("current-context", "does not name exactly one context")
	}
	cluster, found := only(file.Clusters, func(c clientcmdv1.NamedCluster) bool {
		return c.Name == context.Context.Cluster
	})
	if !found {
		return none("contexts[].context.cluster", "does not name exactly one cluster")
	}
	user, found := only(file.AuthInfos, func(u clientcmdv1.NamedAuthInfo) bool {
		return u.Name == context.Context.AuthInfo
	})
	if !found {
		return none("contexts[].context.user", "does not name exactly one user")
	}
	return cluster.Cluster, user.AuthInfo, nil
}

// only returns the one entry that matches. Two of a name are refused: tools differ in which of them
// they take.
func only[T any](entries []T, matches func(T) bool) (entry T, found bool) {
	for _, e := range entries {
		if !matches(e) {
			continue
		}
		if found {
			return entry, false
		}
		entry, found = e, true
	}
	return entry, found
}

func refuseCluster(cluster clientcmdv1.Cluster, options Options) error {
	switch {
	case cluster.CertificateAuthority != "":
		return refuse("clusters[].cluster.certificate-authority", "files are not read; use certificate-authority-data")
	case cluster.InsecureSkipTLSVerify && !options.AllowInsecure:
		return refuse("clusters[].cluster.insecure-skip-tls-verify", "the server must be verified")
	case cluster.InsecureSkipTLSVerify && len(cluster.CertificateAuthorityData) > 0:
		return refuse("clusters[].cluster.insecure-skip-tls-verify", "contradicts certificate-authority-data")
	case cluster.ProxyURL != "" && !options.AllowProxy:
		return refuse("clusters[].cluster.proxy-url", "proxies are not allowed here")
	}
	return nil
}

func refuseUser(user clientcmdv1.AuthInfo) error {
	switch {
	case user.Exec != nil:
		return refuse("users[].user.exec", "programs are not run")
	case user.AuthProvider != nil:
		return refuse("users[].user.auth-provider", "plugins are not run")
	case user.ClientCertificate != "":
		return refuse("users[].user.client-certificate", "files are not read; use client-certificate-data")
	case user.ClientKey != "":
		return refuse("users[].user.client-key", "files are not read; use client-key-data")
	case user.TokenFile != "":
		return refuse("users[].user.tokenFile", "files are not read; use token")
	case user.Impersonate != "":
		return refuse("users[].user.as", "impersonation is not allowed")
	case user.ImpersonateUID != "":
		return refuse("users[].user.as-uid", "impersonation is not allowed")
	case len(user.ImpersonateGroups) > 0:
		return refuse("users[].user.as-groups", "impersonation is not allowed")
	case len(user.ImpersonateUserExtra) > 0:
		return refuse("users[].user.as-user-extra", "impersonation is not allowed")
	}
	return nil
}

func (t *Target) setServer(cluster clientcmdv1.Cluster, options Options) error {
	const field = "clusters[].cluster.server"
	server, err := url.Parse(cluster.Server)
	switch {
	case cluster.Server == "":
		return refuse(field, "is not set")
	case err != nil || server.Hostname() == "" || server.Opaque != "":
		return refuse(field, "is not an absolute URL")
	case server.User != nil || server.RawQuery != "" || server.ForceQuery || server.Fragment != "":
		return refuse(field, "has more than scheme, host and path")
	case server.Scheme == "http" && !options.AllowInsecure:
		return refuse(field, "must be https")
	case server.Scheme != "https" && server.Scheme != "http":
		return refuse(field, "must be https")
	}
	t.Server = url.URL{Scheme: server.Scheme, Host: server.Host, Path: strings.TrimRight(server.Path, "/")}
	t.Insecure = cluster.InsecureSkipTLSVerify
	return nil
}

func (t *Target) setProxy(cluster clientcmdv1.Cluster) error {
	const field = "clusters[].cluster.proxy-url"
	if cluster.ProxyURL == "" {
		return nil
	}
	proxy, err := url.Parse(cluster.ProxyURL)
	if err != nil || proxy.Hostname() == "" {
		return refuse(field, "is not an absolute URL")
	}
	if proxy.Scheme != "http" && proxy.Scheme != "https" && proxy.Scheme != "socks5" {
		return refuse(field, "must be http, https or socks5")
	}
	t.Proxy = proxy
	return nil
}

func (t *Target) setCA(cluster clientcmdv1.Cluster) error {
	if len(cluster.CertificateAuthorityData) == 0 {
		return nil
	}
	if !x509.NewCertPool().AppendCertsFromPEM(cluster.CertificateAuthorityData) {
		return refuse("clusters[].cluster.certificate-authority-data", "holds no PEM certificate")
	}
	t.CA = cluster.CertificateAuthorityData
	return nil
}

func (t *Target) setCertificate(user clientcmdv1.AuthInfo) error {
	certificate, key := user.ClientCertificateData, user.ClientKeyData
	switch {
	case len(certificate) == 0 && len(key) == 0:
		return nil
	case len(certificate) == 0:
		return refuse("users[].user.client-certificate-data", "is not set, but client-key-data is")
	case len(key) == 0:
		return refuse("users[].user.client-key-data", "is not set, but client-certificate-data is")
	}
	if _, err := tls.X509KeyPair(certificate, key); err != nil {
		return refuse("users[].user.client-certificate-data", "is not a PEM certificate that matches client-key-data")
	}
	t.Certificate, t.Key = certificate, key
	return nil
}

func (t *Target) setCredential(user clientcmdv1.AuthInfo) error {
	token := strings.TrimSpace(user.Token)
	switch {
	case strings.ContainsFunc(token, func(r rune) bool { return r <= ' ' || r > '~' }):
		return refuse("users[].user.token", "has characters that no token has")
	case token != "" && user.Username != "":
		return refuse("users[].user.token", "contradicts username")
	case user.Username == "" && user.Password != "":
		return refuse("users[].user.password", "is set without username")
	case token == "" && user.Username == "" && len(t.Certificate) == 0:
		return refuse("users[].user", "has no credential")
	}
	t.Token, t.Username, t.Password = token, user.Username, user.Password
	return nil
}

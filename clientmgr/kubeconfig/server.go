package kubeconfig

import (
	"net/url"
	"strconv"
	"strings"

	clientcmdv1 "k8s.io/client-go/tools/clientcmd/api/v1"
)

func (t *Target) setServer(cluster clientcmdv1.Cluster, options Options) error {
	const field = "clusters[].cluster.server"
	server, err := url.Parse(cluster.Server)
	switch {
	case cluster.Server == "":
		return refuse(field, "is not set")
	case !strings.Contains(cluster.Server, "://"):
		return refuse(field, "has no scheme; it begins with https://")
	case err != nil || server.Hostname() == "" || server.Opaque != "":
		return refuse(field, "is not an absolute URL")
	case server.User != nil || server.RawQuery != "" || server.ForceQuery || server.Fragment != "":
		return refuse(field, "has more than scheme, host and path")
	case server.Scheme == "http" && !options.AllowInsecure:
		return refuse(field, "must be https")
	case server.Scheme != "https" && server.Scheme != "http":
		return refuse(field, "must be https")
	case !validPort(server):
		return refuse(field, "has a port that does not exist")
	}
	t.Server = url.URL{Scheme: server.Scheme, Host: server.Host}
	t.Server.Path, t.Server.RawPath = withoutSlash(server)
	t.Insecure = cluster.InsecureSkipTLSVerify
	return nil
}

// withoutSlash returns a URL's path without slashes at its end. raw is "" where path says all: an
// encoded slash (%2F) is part of a name, and must not become one that separates names.
func withoutSlash(server *url.URL) (path, raw string) {
	raw = strings.TrimRight(server.EscapedPath(), "/")
	path, err := url.PathUnescape(raw)
	if err != nil || (&url.URL{Path: path}).EscapedPath() == raw {
		return path, ""
	}
	return path, raw
}

func validPort(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	number, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && number > 0
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

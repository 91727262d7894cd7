package controlplane

import (
	"fmt"
	"net"
	"path/filepath"
	"strconv"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// User is who a client of the cluster is, for RBAC.
type User struct {
	Name   string
	Groups []string
}

// Admin may do anything.
var Admin = User{Name: "admin", Groups: []string{"system:masters"}}

// Config returns a configuration for the administrator, which rotation does not touch. It has no
// rate limit.
func (c *Cluster) Config() *rest.Config { return rest.CopyConfig(c.admin) }

// ConfigFor returns a configuration for a program of the cluster that acts as user, with a client
// certificate of its own.
func (c *Cluster) ConfigFor(user User) (*rest.Config, error) {
	kubeconfig, err := c.KubeconfigFor(user)
	if err != nil {
		return nil, err
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig of %s: %w", user.Name, err)
	}
	config.QPS = -1
	return config, nil
}

// KubeconfigFor returns the same as a kubeconfig file's content.
func (c *Cluster) KubeconfigFor(user User) ([]byte, error) {
	pair, err := c.authorities.internal.Client(user.Name, user.Groups...)
	if err != nil {
		return nil, err
	}
	return Kubeconfig{
		Cluster:    c.options.Name,
		Server:     "https://" + c.Addr(),
		ServerName: internalName,
		CA:         c.authorities.internal.Cert,
		User:       user.Name,
		Client:     pair,
	}.Bytes()
}

// Kubeconfig is a kubeconfig with one cluster, one user and one context.
type Kubeconfig struct {
	// Cluster names the cluster and the context, User the user.
	Cluster, User string
	// Server is a URL. ServerName is the name that its certificate must bear; "" means the URL's host.
	Server, ServerName string
	// CA is the PEM of the server's authority.
	CA []byte
	// Client or Token is the user's credential.
	Client KeyPair
	Token  string
}

// Bytes returns the file's content, with all certificates in it.
func (k Kubeconfig) Bytes() ([]byte, error) {
	config := clientcmdapi.NewConfig()
	config.Clusters[k.Cluster] = &clientcmdapi.Cluster{
		Server: k.Server, TLSServerName: k.ServerName, CertificateAuthorityData: k.CA,
	}
	config.AuthInfos[k.User] = &clientcmdapi.AuthInfo{
		ClientCertificateData: k.Client.Cert, ClientKeyData: k.Client.Key, Token: k.Token,
	}
	config.Contexts[k.Cluster] = &clientcmdapi.Context{Cluster: k.Cluster, AuthInfo: k.User}
	config.CurrentContext = k.Cluster
	return clientcmd.Write(*config)
}

// Addr is the API server's host and port. They stay the same for the cluster's life.
func (c *Cluster) Addr() string { return net.JoinHostPort(loopback, strconv.Itoa(c.options.Port)) }

func (c *Cluster) adminKubeconfigFile() string { return filepath.Join(c.dir, "admin.kubeconfig") }

package cluster

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

// template is the operator's kubeconfig for one cluster, without a credential.
type template struct {
	name    string
	cluster clientcmdapi.Cluster
}

// newTemplate takes from a person's kubeconfig what leads to the server, and nothing of who the
// person is. The operator accepts nothing that would let somebody else be the server.
func newTemplate(name string, config *rest.Config, server string) (template, error) {
	t := template{name: name, cluster: clientcmdapi.Cluster{
		Server:        strings.TrimSuffix(config.Host, "/") + strings.TrimSuffix(config.APIPath, "/"),
		TLSServerName: config.ServerName, CertificateAuthorityData: config.CAData,
	}}
	if config.Insecure {
		return t, errors.New("your kubeconfig does not verify the server (insecure-skip-tls-verify), which the operator " +
			"never does: put the cluster's certificate-authority into it")
	}
	if config.CAFile != "" && len(config.CAData) == 0 {
		content, err := os.ReadFile(config.CAFile)
		if err != nil {
			return t, fmt.Errorf("reading the certificate-authority: %w", err)
		}
		t.cluster.CertificateAuthorityData = content
	}
	if server != "" {
		t.cluster.Server = server
	}
	address, err := url.Parse(t.cluster.Server)
	if err != nil || address.Scheme != "https" || address.Host == "" {
		return t, fmt.Errorf("the server's address is %q: want https://HOST[:PORT]", t.cluster.Server)
	}
	return t, nil
}

// server is the address.
func (t template) server() string { return t.cluster.Server }

// with is the kubeconfig with a token.
func (t template) with(token string) ([]byte, error) {
	const user = "kubevirt-operator"
	config := clientcmdapi.NewConfig()
	config.Clusters[t.name] = &t.cluster
	config.AuthInfos[user] = &clientcmdapi.AuthInfo{Token: token}
	config.Contexts[t.name] = &clientcmdapi.Context{Cluster: t.name, AuthInfo: user}
	config.CurrentContext = t.name
	content, err := clientcmd.Write(*config)
	if err != nil {
		return nil, fmt.Errorf("writing the operator's kubeconfig: %w", err)
	}
	if _, err := kubeconfig.Parse(content, kubeconfig.Options{}); err != nil {
		return nil, fmt.Errorf("the operator would refuse this kubeconfig: %w", err)
	}
	return content, nil
}

// serverOf is the address in a kubeconfig, "" where it has none.
func serverOf(content []byte) string {
	target, err := kubeconfig.Parse(content, kubeconfig.Options{})
	if err != nil {
		return ""
	}
	return target.Server.String()
}

// proven says whether a kubeconfig of the operator leads into the cluster of an identity with all
// the rights that it should have.
func proven(ctx context.Context, content []byte, identity string, rights []right) error {
	if len(content) == 0 {
		return errors.New("there is no kubeconfig")
	}
	own, err := reach.FromSecret(content)
	if err != nil {
		return err
	}
	uid, err := own.Identity(ctx)
	if err != nil {
		return err
	}
	if uid != identity {
		return fmt.Errorf("the address %s leads to another cluster (%s)", own.Config.Host, uid)
	}
	missing, err := lacking(ctx, own, rights)
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("it lacks the right to %s", strings.Join(missing, ", "))
	}
	return err
}

// accepted reports whether a cluster knows a credential, whatever it may do there.
func accepted(ctx context.Context, content []byte, rights []right) bool {
	own, err := reach.FromSecret(content)
	if err != nil {
		return false
	}
	_, err = lacking(ctx, own, rights)
	return err == nil
}

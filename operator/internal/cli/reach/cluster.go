package reach

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/app"
)

// Cluster is a way into one cluster. Its client asks the API server itself.
type Cluster struct {
	client.Client
	// Config is what the client was made of.
	Config *rest.Config
	// HTTP carries the client's requests.
	HTTP *http.Client
}

// UserAgent is how the API servers' audit logs name these commands.
const UserAgent = "kubectl-machine"

// Open returns a way into the cluster of a kubeconfig. "" as kubeconfig means KUBECONFIG and what
// kubectl would take, "" as context the current one.
func Open(kubeconfig, context string) (*Cluster, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = kubeconfig
	overrides := &clientcmd.ConfigOverrides{CurrentContext: context}
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides).ClientConfig()
	if clientcmd.IsEmptyConfig(err) {
		return nil, fmt.Errorf("there is no kubeconfig: %s do not lead to one", strings.Join(rules.Precedence, ", "))
	}
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	return With(config)
}

// FromSecret returns a way into the cluster of a KubevirtConfig's kubeconfig, which is refused for
// what the operator refuses it for.
func FromSecret(content []byte) (*Cluster, error) {
	target, err := kubeconfig.Parse(content, kubeconfig.Options{})
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	return To(target)
}

// To returns a way to what a kubeconfig says, with the credential in it.
func To(target kubeconfig.Target) (*Cluster, error) { return With(configOf(target)) }

// configOf is a Target as client-go has it.
func configOf(target kubeconfig.Target) *rest.Config {
	return &rest.Config{
		Host:        target.Server.String(),
		BearerToken: target.Token.Reveal(),
		Username:    target.Username,
		Password:    target.Password.Reveal(),
		TLSClientConfig: rest.TLSClientConfig{
			ServerName: target.ServerName, CAData: target.CA,
			CertData: target.Certificate, KeyData: []byte(target.Key.Reveal()),
		},
	}
}

// With returns a way into the cluster that config leads to.
func With(config *rest.Config) (*Cluster, error) {
	config = rest.CopyConfig(config)
	config.QPS = -1
	config.UserAgent = UserAgent
	config.WarningHandler = rest.NoWarnings{}
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	scheme, err := app.NewScheme()
	if err != nil {
		return nil, err
	}
	c, err := client.New(config, client.Options{Scheme: scheme, HTTPClient: httpClient})
	if err != nil {
		return nil, err
	}
	return &Cluster{Client: c, Config: config, HTTP: httpClient}, nil
}

// Identity is the UID of the namespace kube-system, which tells one cluster from another.
func (c *Cluster) Identity(ctx context.Context) (string, error) {
	system := &corev1.Namespace{}
	if err := c.Get(ctx, client.ObjectKey{Name: "kube-system"}, system); err != nil {
		return "", fmt.Errorf("reading the identity of the cluster (namespace kube-system): %w", err)
	}
	return string(system.UID), nil
}

// Version is the API server's version.
func (c *Cluster) Version() (string, error) {
	asked, err := discovery.NewDiscoveryClientForConfigAndClient(c.Config, c.HTTP)
	if err != nil {
		return "", err
	}
	version, err := asked.ServerVersion()
	if err != nil {
		return "", fmt.Errorf("reading the version of the API server: %w", err)
	}
	return version.GitVersion, nil
}

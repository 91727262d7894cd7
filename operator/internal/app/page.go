package app

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/pflag"
	ctrl "sigs.k8s.io/controller-runtime"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/page"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/page/access"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/page/feed"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/page/vitals"
)

// PageOptions say where the Fleet page is served and who is believed there.
type PageOptions struct {
	// Address is host:port. "0" serves none.
	Address string
	// CertDir has tls.crt and tls.key: see page.Options.
	CertDir string
	// Audiences are those of tokens, ProxyCA and ProxyNames of front proxies: see access.Options.
	Audiences  []string
	ProxyCA    string
	ProxyNames []string
}

func (o *PageOptions) addFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.Address, "page-bind-address", "0",
		`address that serves the Fleet page; "0" for none; needs the rights of api/rbac/page`)
	flags.StringVar(&o.CertDir, "page-cert-dir", "",
		"folder with tls.crt and tls.key of the page (default: a certificate of its own making, and no TLS on loopback)")
	flags.StringSliceVar(&o.Audiences, "page-audiences", nil,
		"audiences of which a token for the page must have one (default: the API server's own)")
	flags.StringVar(&o.ProxyCA, "page-proxy-ca", "",
		"file with the authority of front proxies, which say in headers who somebody is (default: none is believed)")
	flags.StringSliceVar(&o.ProxyNames, "page-proxy-names", nil,
		"common names that the certificate of a front proxy may have; with --page-proxy-ca")
}

// serves reports whether there is a page.
func (o *PageOptions) serves() bool { return o.Address != "0" && o.Address != "" }

// check refuses half of what makes a front proxy believed: any certificate of an authority, or a
// name that nobody vouches for.
func (o *PageOptions) check() error {
	if (o.ProxyCA == "") != (len(o.ProxyNames) == 0) {
		return errors.New("--page-proxy-ca and --page-proxy-names go together")
	}
	for _, name := range append(o.ProxyNames, o.Audiences...) {
		if strings.TrimSpace(name) == "" {
			return errors.New("--page-proxy-names and --page-audiences have no empty names")
		}
	}
	return nil
}

// AddPage lets mgr serve the Fleet page, where options say so.
func AddPage(mgr ctrl.Manager, options Options, remotes vitals.Remotes) error {
	if !options.Page.serves() {
		return nil
	}
	namespaced, err := configsNamespaced(mgr.GetConfig())
	if err != nil {
		return err
	}
	configs := ""
	if namespaced {
		configs = options.Machine.ConfigsNamespace
	}
	gate, err := access.New(mgr.GetConfig(), mgr.GetHTTPClient(), access.Options{
		Audiences: options.Page.Audiences, ProxyCA: options.Page.ProxyCA, ProxyNames: options.Page.ProxyNames,
		ConfigsNamespace: configs,
	})
	if err != nil {
		return fmt.Errorf("page: %w", err)
	}
	live := feed.New(mgr.GetCache(), feed.Options{
		Machine: machine.IsOurs,
		Config:  func(config *vitistackv1alpha1.KubevirtConfig) bool { return config.Namespace == configs },
		Vitals:  vitals.New(remotes, vitals.Options{}).Of,
	})
	server, err := page.New(page.Options{
		Address: options.Page.Address, CertDir: options.Page.CertDir, Selector: options.WatchSelector.String(),
		Gate: gate, Feed: live, Logger: mgr.GetLogger().WithName("page"),
	})
	if err != nil {
		return err
	}
	return mgr.Add(server)
}

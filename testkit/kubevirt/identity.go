package kubevirt

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
)

// account returns one of KubeVirt's own service accounts: virt-api takes them, by exactly these
// names, for parts of KubeVirt.
func account(name string) controlplane.User {
	return controlplane.User{
		Name: "system:serviceaccount:" + Namespace + ":" + name,
		Groups: []string{"system:masters", "system:serviceaccounts", "system:serviceaccounts:" + Namespace,
			"system:authenticated"},
	}
}

// identity is a folder with the certificates and kubeconfigs of KubeVirt's programs.
type identity struct {
	dir string
	// ca signs for KubeVirt's programs, exportCA for the servers that virt-controller makes for
	// exports.
	ca, exportCA *controlplane.CA
	// ingress is what requests for exports from outside are met with: its certificate, and that of the
	// authority that signed it.
	ingress controlplane.KeyPair
	// handler is what virt-handler meets virt-api with.
	handler controlplane.KeyPair
}

// handlerName is the name in virt-handler's certificate, by which virt-api knows it.
const handlerName = "kubevirt.io:system:node:virt-handler"

// newIdentity makes all files of the programs of a stack.
func newIdentity(cluster *controlplane.Cluster) (identity, error) {
	ca, err := controlplane.NewCA("kubevirt-ca")
	if err != nil {
		return identity{}, err
	}
	exportCA, err := controlplane.NewCA("kubevirt-export-ca")
	if err != nil {
		return identity{}, err
	}
	i := identity{dir: filepath.Join(cluster.Dir(), "kubevirt"), ca: ca, exportCA: exportCA}
	if err := os.MkdirAll(i.exportCADir(), 0o700); err != nil {
		return identity{}, err
	}
	if err := exportCA.WriteFiles(i.inExportCADir("tls.crt"), i.inExportCADir("tls.key")); err != nil {
		return identity{}, err
	}
	if i.ingress, err = newIngress(cluster); err != nil {
		return identity{}, err
	}
	if i.handler, err = ca.Server(handlerName); err != nil {
		return identity{}, err
	}
	for program, user := range map[string]string{virtAPI: "kubevirt-apiserver", virtController: "kubevirt-controller"} {
		if err := i.write(cluster, program, account(user)); err != nil {
			return identity{}, fmt.Errorf("files of %s: %w", program, err)
		}
	}
	return i, nil
}

// write makes a program's serving certificate, its client certificate for virt-handler and its
// kubeconfig.
func (i identity) write(cluster *controlplane.Cluster, program string, user controlplane.User) error {
	serving, err := i.ca.Server(loopback, "localhost", virtAPI+"."+Namespace+".svc")
	if err != nil {
		return err
	}
	if err := serving.WriteFiles(i.file(program, "serving.crt"), i.file(program, "serving.key")); err != nil {
		return err
	}
	client, err := i.ca.Client(user.Name)
	if err != nil {
		return err
	}
	if err := client.WriteFiles(i.file(program, "client.crt"), i.file(program, "client.key")); err != nil {
		return err
	}
	kubeconfig, err := cluster.KubeconfigFor(user)
	if err != nil {
		return err
	}
	return os.WriteFile(i.file(program, "kubeconfig"), kubeconfig, 0o600)
}

func (i identity) file(program, name string) string { return filepath.Join(i.dir, program+"."+name) }

// exportCADir is where virt-controller looks for the authority of exports.
func (i identity) exportCADir() string { return filepath.Join(i.dir, "export-ca") }

func (i identity) inExportCADir(name string) string { return filepath.Join(i.exportCADir(), name) }

func newIngress(cluster *controlplane.Cluster) (controlplane.KeyPair, error) {
	ca, err := controlplane.NewCA("ingress-ca-of-" + cluster.Name())
	if err != nil {
		return controlplane.KeyPair{}, err
	}
	pair, err := ca.Server(exportHost(cluster))
	pair.Cert = append(pair.Cert, ca.Cert...)
	return pair, err
}

package kubevirt

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"path/filepath"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/agent"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/exports"
)

// virtExportProxy is the Service by which KubeVirt knows an Ingress that leads to exports.
const virtExportProxy = "virt-exportproxy"

// ExportHost is the host name of the Ingress: external links of exports begin with it. The stack's
// Names know it, and no DNS.
func (s *Stack) ExportHost() string { return exportHost(s.cluster) }

func exportHost(cluster *controlplane.Cluster) string { return "export." + cluster.Name() + ".example" }

// SetExportFault lets the stack serve disks badly to others, from the next request on. The zero
// Fault ends that.
func (s *Stack) SetExportFault(fault exports.Fault) { s.faults.Set(fault) }

// SetImportRoom bounds, in bytes, what imports find room for in each disk; a negative number takes
// the bound away.
func (s *Stack) SetImportRoom(bytes int64) { s.room.Set(bytes) }

// SetExternalLinks makes the Ingress for exports, or removes it: then exports that become ready, or
// change, have links for the inside of the cluster alone.
func (s *Stack) SetExternalLinks(ctx context.Context, external bool) error {
	s.external.Store(external)
	secret, ingress := ingressSecret(s.identity.ingress), ingress(s.ExportHost())
	if external {
		return s.create(ctx, secret, ingress)
	}
	for _, object := range []client.Object{ingress, secret} {
		if err := client.IgnoreNotFound(s.client.Delete(ctx, object)); err != nil {
			return fmt.Errorf("deleting %T %s: %w", object, object.GetName(), err)
		}
	}
	return nil
}

// agentExports lets the agent serve exports where there is a virt-controller that makes them.
func (s *Stack) agentExports() (*agent.Exports, error) {
	if s.options.Mode == Light {
		return nil, nil
	}
	certificate, err := tls.X509KeyPair(s.identity.ingress.Cert, s.identity.ingress.Key)
	if err != nil {
		return nil, fmt.Errorf("certificate for exports: %w", err)
	}
	address := net.JoinHostPort(loopback, strconv.Itoa(s.ports.exports.Number))
	s.options.Names.Set(s.ExportHost(), address)
	return &agent.Exports{
		Program:     s.options.Binaries.ExportServer,
		Dir:         filepath.Join(s.identity.dir, "exports"),
		Log:         filepath.Join(s.cluster.LogDir(), "virt-exportserver.log"),
		Authority:   s.identity.exportCA.Cert,
		Address:     address,
		Certificate: certificate,
		Faults:      s.faults,
	}, nil
}

func ingressSecret(pair controlplane.KeyPair) *corev1.Secret {
	return &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: virtExportProxy + "-tls", Namespace: Namespace},
		Type:       corev1.SecretTypeTLS,
		Data:       map[string][]byte{corev1.TLSCertKey: pair.Cert, corev1.TLSPrivateKeyKey: pair.Key},
	}
}

func ingress(host string) *networkingv1.Ingress {
	return &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Name: virtExportProxy, Namespace: Namespace},
		Spec: networkingv1.IngressSpec{
			TLS: []networkingv1.IngressTLS{{Hosts: []string{host}, SecretName: virtExportProxy + "-tls"}},
			Rules: []networkingv1.IngressRule{{
				Host: host,
				IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
					Paths: []networkingv1.HTTPIngressPath{{
						Path: "/", PathType: ptr.To(networkingv1.PathTypePrefix),
						Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
							Name: virtExportProxy, Port: networkingv1.ServiceBackendPort{Number: 443},
						}},
					}},
				}},
			}},
		},
	}
}

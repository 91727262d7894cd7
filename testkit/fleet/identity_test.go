package fleet

import (
	"context"
	"crypto/x509"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
)

func withoutGroup(config *rest.Config) *rest.Config {
	config.NegotiatedSerializer = serializer.WithoutConversionCodecFactory{CodecFactory: clientgoscheme.Codecs}
	return config
}

// TestRotate works on each cluster at the same time: the API server takes a token that it has seen
// for 10 seconds more.
func TestRotate(t *testing.T) {
	for name, test := range map[string]func(*testing.T){
		"supervisor":   func(t *testing.T) { rotateAll(t, shared.Supervisor) },
		"cluster-west": func(t *testing.T) { rotateAll(t, shared.Remotes[1]) },
		"cluster-east": func(t *testing.T) {
			failToPublish(t, shared.Remotes[0])
			rotateTerminated(t, shared.Remotes[0])
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// rotateAll rotates one thing after the other, so that each follows on each kind of credential.
func rotateAll(t *testing.T, c *Cluster) {
	unauthorized := func(err error) bool { return apierrors.IsUnauthorized(err) }
	untrusted := func(err error) bool { return errors.As(err, new(x509.UnknownAuthorityError)) }
	steps := []struct {
		reason string
		what   Rotation
		ended  func(error) bool
	}{
		{"a token after the first token", RotateToken, unauthorized},
		{"an authority while a token is in use", RotateCA, untrusted},
		{"a certificate after a token", RotateCert, unauthorized},
		{"a certificate after a certificate", RotateCert, unauthorized},
		{"an authority while a certificate is in use", RotateCA, untrusted},
		{"a token after a certificate", RotateToken, unauthorized},
	}
	for _, step := range steps {
		old := operator(t, c)
		if err := identify(t.Context(), old); err != nil {
			t.Fatalf("%s: before: %v", step.reason, err)
		}
		if err := c.Rotate(t.Context(), step.what); err != nil {
			t.Fatalf("%s: %v", step.reason, err)
		}
		if err := identify(t.Context(), old); !step.ended(err) {
			t.Errorf("%s: the old kubeconfig: %v", step.reason, err)
		}
		now := operator(t, c)
		if want := "https://" + c.Proxy.Addr(); now.Host != want {
			t.Errorf("%s: the new kubeconfig leads to %s, want the proxy, %s", step.reason, now.Host, want)
		}
		if err := identify(t.Context(), now); err != nil {
			t.Errorf("%s: the new kubeconfig: %v", step.reason, err)
		}
	}
}

// rotateTerminated rotates while the proxy ends TLS with the API server's own files.
func rotateTerminated(t *testing.T, c *Cluster) {
	if err := c.SetFault(faults.Fault{Kind: faults.Stall}); err != nil {
		t.Fatal(err)
	}
	for _, what := range []Rotation{RotateCert, RotateCA, RotateToken} {
		old := operator(t, c)
		if err := c.Rotate(t.Context(), what); err != nil {
			t.Fatal(err)
		}
		if err := identify(t.Context(), old); err == nil {
			t.Errorf("%s: the old kubeconfig is still taken", what)
		}
		if err := identify(t.Context(), operator(t, c)); err != nil {
			t.Errorf("%s: the new kubeconfig: %v", what, err)
		}
	}
	if err := c.SetFault(faults.Fault{}); err != nil {
		t.Error(err)
	}
}

// failToPublish is about a rotation that fails half-way: the operator must not be locked out.
func failToPublish(t *testing.T, c *Cluster) {
	publish := c.identity.publish
	c.identity.publish = func(context.Context, []byte) error { return os.ErrPermission }
	old := operator(t, c)
	err := c.Rotate(t.Context(), RotateToken)
	c.identity.publish = publish
	if !errors.Is(err, os.ErrPermission) {
		t.Fatalf("Rotate() = %v", err)
	}
	if err := identify(t.Context(), old); err != nil {
		t.Errorf("the kubeconfig in use: %v", err)
	}
	if err := c.Rotate(t.Context(), RotateToken); err != nil {
		t.Fatal(err)
	}
	if err := identify(t.Context(), old); !apierrors.IsUnauthorized(err) {
		t.Errorf("the old token after the next rotation: %v", err)
	}
}

func TestRotateRefuses(t *testing.T) {
	supervisor, east := shared.Supervisor, shared.Remotes[0]
	if err := east.Rotate(t.Context(), "password"); err == nil ||
		!strings.Contains(err.Error(), "want one of token, cert, ca") {
		t.Errorf("an unknown rotation: %v", err)
	}
	before := published(t, east)
	if err := supervisor.Freeze(); err != nil {
		t.Fatal(err)
	}
	err := east.Rotate(t.Context(), RotateCA)
	if err == nil || !strings.Contains(err.Error(), "supervisor is frozen") {
		t.Errorf("a rotation that cannot be published: %v", err)
	}
	if err := supervisor.Thaw(); err != nil {
		t.Fatal(err)
	}
	if string(published(t, east)) != string(before) {
		t.Error("the Secret has changed")
	}
	if err := identify(t.Context(), operator(t, east)); err != nil {
		t.Errorf("the kubeconfig in use: %v", err)
	}
}

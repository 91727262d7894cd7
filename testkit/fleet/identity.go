package fleet

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// The operator's service account, in the supervisor and in each remote; api/rbac has its rights.
const (
	operatorNamespace = "kubevirt-operator"
	operatorAccount   = "kubevirt-operator"
)

// OperatorUser is the operator's name in the clusters, as their audit logs have it.
const OperatorUser = "system:serviceaccount:" + operatorNamespace + ":" + operatorAccount

const (
	tokenLifetime = 24 * time.Hour
	// revokeTimeout is for the API server's cache of tokens that it has seen: it keeps an answer for
	// 10 seconds.
	revokeTimeout = 30 * time.Second
	pollInterval  = 100 * time.Millisecond
)

// identity is how the operator comes to one cluster.
type identity struct {
	credential credential
	// publish puts a kubeconfig to where the operator looks for it, which is in the cluster home; that
	// is nil for a file.
	publish func(ctx context.Context, kubeconfig []byte) error
	home    *Cluster
}

// credential is a token or a client certificate of the operator.
type credential struct {
	// token is bound to the Secret of that name: where the Secret goes, the token ends. Both are "" if
	// there is a certificate.
	token, boundTo string
	client         controlplane.KeyPair
}

// newIdentity makes the operator's first credential, a token. It is published later.
func (c *Cluster) newIdentity(ctx context.Context) (err error) {
	if c.identity.credential, err = c.newToken(ctx); err != nil {
		return fmt.Errorf("the operator's identity: %w", err)
	}
	return nil
}

// newToken returns a token for the operator's service account.
func (c *Cluster) newToken(ctx context.Context) (credential, error) {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{GenerateName: "operator-token-", Namespace: operatorNamespace}}
	if err := c.client.Create(ctx, secret); err != nil {
		return credential{}, err
	}
	seconds := int64(tokenLifetime.Seconds())
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		ExpirationSeconds: &seconds,
		BoundObjectRef: &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Secret", Name: secret.Name,
			UID: secret.UID},
	}}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: operatorAccount, Namespace: operatorNamespace}}
	if err := c.client.SubResource("token").Create(ctx, account, request); err != nil {
		return credential{}, fmt.Errorf("requesting a token: %w", err)
	}
	return credential{token: request.Status.Token, boundTo: secret.Name}, nil
}

// revoke ends a credential and waits until the API server refuses it. Certificates end with their
// authority, all of them.
func (c *Cluster) revoke(ctx context.Context, old credential) error {
	if old.boundTo == "" {
		end, err := c.ControlPlane.RotateClientCA(ctx)
		if err != nil {
			return err
		}
		return end(ctx)
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: old.boundTo, Namespace: operatorNamespace}}
	if err := c.client.Delete(ctx, secret); client.IgnoreNotFound(err) != nil {
		return err
	}
	return wait.PollUntilContextTimeout(ctx, pollInterval, revokeTimeout, true, func(ctx context.Context) (bool, error) {
		review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: old.token}}
		err := c.client.Create(ctx, review)
		return err == nil && !review.Status.Authenticated, err
	})
}

// operatorUser is the service account as a certificate names it.
func operatorUser() controlplane.User {
	return controlplane.User{
		Name:   OperatorUser,
		Groups: []string{"system:serviceaccounts", "system:serviceaccounts:" + operatorNamespace},
	}
}

// publish hands a credential, the proxy's address and the authority of the API server's certificate
// to the operator.
func (c *Cluster) publish(ctx context.Context, next credential) error {
	kubeconfig, err := controlplane.Kubeconfig{
		Cluster: c.Name, User: operatorAccount,
		Server: "https://" + c.Proxy.Addr(), CA: c.ControlPlane.ServingCA(),
		Token: next.token, Client: next.client,
	}.Bytes()
	if err != nil {
		return err
	}
	if err := c.identity.publish(ctx, kubeconfig); err != nil {
		return fmt.Errorf("publishing the operator's kubeconfig for %s: %w", c.Name, err)
	}
	c.identity.credential = next
	return nil
}

// Rotation says what Rotate replaces.
type Rotation string

// What can be rotated.
const (
	RotateToken Rotation = "token" // to a new token of the service account
	RotateCert  Rotation = "cert"  // to a client certificate of a new authority
	RotateCA    Rotation = "ca"    // to a serving certificate of a new authority; the credential stays
)

// Rotate replaces a part of the operator's kubeconfig for this cluster, publishes it, and then ends
// what it replaced: it returns when the API server refuses the old credential, or no longer shows
// the old serving certificate.
func (c *Cluster) Rotate(ctx context.Context, what Rotation) error {
	rotate, known := map[Rotation]func(context.Context) error{
		RotateToken: c.rotateToken, RotateCert: c.rotateCert, RotateCA: c.rotateCA,
	}[what]
	if !known {
		return fmt.Errorf("unknown rotation %q: want one of %s, %s, %s", what, RotateToken, RotateCert, RotateCA)
	}
	if home := c.identity.home; home != nil && home.State() != Running {
		return fmt.Errorf("the Secret of %s cannot be changed: %s is %s", c.Name, home.Name, home.State())
	}
	return c.change(Running, func() error { return rotate(ctx) }, Running)
}

func (c *Cluster) rotateToken(ctx context.Context) error {
	next, err := c.newToken(ctx)
	if err != nil {
		return err
	}
	old := c.identity.credential
	if err := c.publish(ctx, next); err != nil {
		return err
	}
	return c.revoke(ctx, old)
}

func (c *Cluster) rotateCert(ctx context.Context) error {
	endOld, err := c.ControlPlane.RotateClientCA(ctx)
	if err != nil {
		return err
	}
	pair, err := c.ControlPlane.ClientCertificate(operatorUser())
	if err != nil {
		return err
	}
	old := c.identity.credential
	if err := c.publish(ctx, credential{client: pair}); err != nil {
		return err
	}
	if old.boundTo != "" {
		err = c.revoke(ctx, old)
	}
	return errors.Join(err, endOld(ctx))
}

func (c *Cluster) rotateCA(ctx context.Context) error {
	if _, err := c.ControlPlane.RotateServingCA(ctx); err != nil {
		return err
	}
	return c.publish(ctx, c.identity.credential)
}

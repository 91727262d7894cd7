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

// The operator's service account, in the supervisor and in each remote; operator/api/rbac has its rights.
const (
	operatorNamespace = "kubevirt-operator"
	operatorAccount   = "kubevirt-operator"
)

const (
	tokenLifetime = 24 * time.Hour
	// revokeTimeout is for the API server's cache of tokens that it has seen: it keeps an answer for 10 seconds.
	revokeTimeout = 30 * time.Second
	pollInterval  = 100 * time.Millisecond
)

// identity is the credential with which the operator comes to one cluster.
type identity struct {
	// token is bound to the Secret of that name: where the Secret goes, the token ends. Both are "" while a certificate is in use.
	token, boundTo string
	// client is the certificate in use, or empty.
	client controlplane.KeyPair
	// publish puts a kubeconfig to where the operator looks for it.
	publish func(ctx context.Context, kubeconfig []byte) error
}

// newIdentity makes the operator's first credential, a token. It is published later.
func (c *Cluster) newIdentity(ctx context.Context) error {
	token, boundTo, err := c.newToken(ctx)
	c.identity = &identity{token: token, boundTo: boundTo}
	return err
}

// newToken returns a token for the operator's service account, and the name of the Secret that it ends with.
func (c *Cluster) newToken(ctx context.Context) (token, boundTo string, err error) {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{GenerateName: "operator-token-", Namespace: operatorNamespace}}
	if err := c.client.Create(ctx, secret); err != nil {
		return "", "", err
	}
	seconds := int64(tokenLifetime.Seconds())
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		ExpirationSeconds: &seconds,
		BoundObjectRef:    &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Secret", Name: secret.Name, UID: secret.UID},
	}}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: operatorAccount, Namespace: operatorNamespace}}
	if err := c.client.SubResource("token").Create(ctx, account, request); err != nil {
		return "", "", fmt.Errorf("requesting a token: %w", err)
	}
	return request.Status.Token, secret.Name, nil
}

// revokeToken ends a token and waits until the API server refuses it.
func (c *Cluster) revokeToken(ctx context.Context, token, boundTo string) error {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: boundTo, Namespace: operatorNamespace}}
	if err := c.client.Delete(ctx, secret); client.IgnoreNotFound(err) != nil {
		return err
	}
	return wait.PollUntilContextTimeout(ctx, pollInterval, revokeTimeout, true, func(ctx context.Context) (bool, error) {
		review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}
		err := c.client.Create(ctx, review)
		return err == nil && !review.Status.Authenticated, err
	})
}

// operatorUser is the service account as a certificate names it.
func operatorUser() controlplane.User {
	return controlplane.User{
		Name:   "system:serviceaccount:" + operatorNamespace + ":" + operatorAccount,
		Groups: []string{"system:serviceaccounts", "system:serviceaccounts:" + operatorNamespace},
	}
}

// publish hands the current credential, the proxy's address and the authority of the API server's certificate to the operator.
func (c *Cluster) publish(ctx context.Context) error {
	kubeconfig, err := controlplane.Kubeconfig{
		Cluster: c.Name, User: operatorAccount,
		Server: "https://" + c.Proxy.Addr(), CA: c.ControlPlane.ServingCA(),
		Token: c.identity.token, Client: c.identity.client,
	}.Bytes()
	if err != nil {
		return err
	}
	return c.identity.publish(ctx, kubeconfig)
}

// Rotation says what Rotate replaces.
type Rotation string

// What can be rotated.
const (
	RotateToken Rotation = "token" // to a new token of the service account
	RotateCert  Rotation = "cert"  // to a client certificate of a new authority
	RotateCA    Rotation = "ca"    // to a serving certificate of a new authority; the credential stays
)

// Rotate replaces a part of the operator's kubeconfig for this cluster, publishes it, and then ends what it replaced: it returns when the API
// server refuses the old credential, or no longer shows the old serving certificate.
func (c *Cluster) Rotate(ctx context.Context, what Rotation) error {
	rotate, known := map[Rotation]func(context.Context) error{
		RotateToken: c.rotateToken, RotateCert: c.rotateCert, RotateCA: c.rotateCA,
	}[what]
	if !known {
		return fmt.Errorf("unknown rotation %q: want one of %s, %s, %s", what, RotateToken, RotateCert, RotateCA)
	}
	return c.change(Running, func() error { return rotate(ctx) }, Running)
}

func (c *Cluster) rotateToken(ctx context.Context) error {
	token, boundTo, err := c.newToken(ctx)
	if err != nil {
		return err
	}
	old := *c.identity
	c.identity.token, c.identity.boundTo, c.identity.client = token, boundTo, controlplane.KeyPair{}
	if err := c.publish(ctx); err != nil {
		return err
	}
	if old.boundTo != "" {
		return c.revokeToken(ctx, old.token, old.boundTo)
	}
	revoke, err := c.ControlPlane.RotateClientCA(ctx)
	if err != nil {
		return err
	}
	return revoke(ctx)
}

func (c *Cluster) rotateCert(ctx context.Context) error {
	revoke, err := c.ControlPlane.RotateClientCA(ctx)
	if err != nil {
		return err
	}
	pair, err := c.ControlPlane.ClientCertificate(operatorUser())
	if err != nil {
		return err
	}
	old := *c.identity
	c.identity.token, c.identity.boundTo, c.identity.client = "", "", pair
	if err := c.publish(ctx); err != nil {
		return err
	}
	if old.boundTo != "" {
		err = c.revokeToken(ctx, old.token, old.boundTo)
	}
	return errors.Join(err, revoke(ctx))
}

func (c *Cluster) rotateCA(ctx context.Context) error {
	if _, err := c.ControlPlane.RotateServingCA(ctx); err != nil {
		return err
	}
	return c.publish(ctx)
}

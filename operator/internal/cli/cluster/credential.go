package cluster

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

const (
	year = 365 * 24 * time.Hour
	// shortest is the life below which nobody would rotate a token in time by hand.
	shortest = 30 * 24 * time.Hour
	// fillTimeout is how long the token of a Secret is waited for.
	fillTimeout = 20 * time.Second
	// endTimeout is how long a token may be accepted after its end: API servers keep what they know of
	// a token for ten seconds.
	endTimeout = 40 * time.Second
)

// labelConfig says for which KubevirtConfig a credential was made. Names that do not fit into a
// label are in the annotation alone.
const labelConfig = "vitistack.io/kubevirt-config"

// issue is what kind of token a person wants.
type issue struct {
	life      time.Duration
	permanent bool
}

func (i *issue) add(flags *pflag.FlagSet) {
	flags.DurationVar(&i.life, "expires", year, "how long the token shall be valid")
	flags.BoolVar(&i.permanent, "permanent", false,
		"a token without an end, for servers that grant none long enough; it ends when it is rotated")
}

func (i issue) String() string {
	if i.permanent {
		return "ever"
	}
	return duration.HumanDuration(i.life)
}

// token is a credential, and the Secret whose end is its own.
type token struct {
	value   string
	secret  object
	expires time.Time // zero for no end
}

// ends tells until when it is valid.
func (t token) ends() string {
	if t.expires.IsZero() {
		return ", and does not end by itself"
	}
	return ", until " + t.expires.UTC().Format(time.DateOnly) + ": rotate it before"
}

// credentialLabels are on the Secrets that credentials of one KubevirtConfig of one supervisor are
// bound to.
func credentialLabels(supervisorUID, config string) map[string]string {
	return map[string]string{
		labelManagedBy:                       managedBy,
		vitistackv1alpha1.LabelSupervisorUID: supervisorUID,
		labelConfig:                          labelValue(config),
	}
}

// token makes a credential. Its Secret is returned with an error too, so that it can be taken back.
func (i issue) token(
	ctx context.Context, remote *reach.Cluster, of client.ObjectKey, labels map[string]string,
) (token, error) {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		GenerateName: of.Name + "-token-", Namespace: of.Namespace, Labels: labels,
	}}
	if i.permanent {
		secret.Type = corev1.SecretTypeServiceAccountToken
		secret.Annotations = map[string]string{corev1.ServiceAccountNameKey: of.Name}
	}
	if err := remote.Create(ctx, secret); err != nil {
		return token{}, fmt.Errorf("making the Secret of the token: %w", err)
	}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	made := token{secret: objectOf(secret)}
	if i.permanent {
		return made, i.filled(ctx, remote, secret, &made)
	}
	return made, i.requested(ctx, remote, of, secret, &made)
}

// objectOf is the Secret without its content.
func objectOf(secret *corev1.Secret) object {
	o := object{Unstructured: &unstructured.Unstructured{}, found: absent}
	o.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	o.SetNamespace(secret.Namespace)
	o.SetName(secret.Name)
	o.SetUID(secret.UID)
	return o
}

// requested asks for a token that is bound to a Secret.
func (i issue) requested(
	ctx context.Context, remote *reach.Cluster, of client.ObjectKey, secret *corev1.Secret, made *token,
) error {
	seconds := int64(i.life.Seconds())
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		ExpirationSeconds: &seconds,
		BoundObjectRef: &authenticationv1.BoundObjectReference{
			APIVersion: "v1", Kind: "Secret", Name: secret.Name, UID: secret.UID,
		},
	}}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: of.Namespace, Name: of.Name}}
	if err := remote.SubResource("token").Create(ctx, account, request); err != nil {
		return fmt.Errorf("asking for a token: %w", err)
	}
	made.value, made.expires = request.Status.Token, request.Status.ExpirationTimestamp.Time
	granted := time.Until(made.expires)
	if granted < i.life/2 && granted < shortest {
		return fmt.Errorf("the cluster grants a token for %s, not %s, and nobody would rotate it in time: say --permanent, "+
			"or --expires %s if somebody does", duration.HumanDuration(granted), i, granted.Round(time.Minute))
	}
	return nil
}

// filled waits until the remote cluster's controller has put a token into the Secret.
func (i issue) filled(ctx context.Context, remote *reach.Cluster, secret *corev1.Secret, made *token) error {
	err := wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, fillTimeout, true,
		func(ctx context.Context) (bool, error) {
			err := remote.Get(ctx, client.ObjectKeyFromObject(secret), secret)
			made.value = string(secret.Data[corev1.ServiceAccountTokenKey])
			return made.value != "", err
		})
	if wait.Interrupted(err) && ctx.Err() == nil {
		return fmt.Errorf("no controller of the cluster fills the Secret of a service account within %s: "+
			"leave --permanent out", fillTimeout)
	}
	return err
}

// claims are what a token says about itself.
type claims struct {
	Expires    int64  `json:"exp"`
	LegacyName string `json:"kubernetes.io/serviceaccount/secret.name"`
	Kubernetes struct {
		Namespace string `json:"namespace"`
		Secret    struct {
			Name string    `json:"name"`
			UID  types.UID `json:"uid"`
		} `json:"secret"`
	} `json:"kubernetes.io"`
	LegacyNamespace string `json:"kubernetes.io/serviceaccount/namespace"`
}

// secretOf is the Secret with which a token ends, by what the token says. Its server alone could
// verify that, so that it is used to say what to delete, and the end is proven by the server.
func secretOf(token string) (secret corev1.Secret, found bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return secret, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return secret, false
	}
	var said claims
	if json.Unmarshal(payload, &said) != nil {
		return secret, false
	}
	secret.Namespace, secret.Name, secret.UID = said.Kubernetes.Namespace, said.Kubernetes.Secret.Name,
		said.Kubernetes.Secret.UID
	if secret.Name == "" {
		secret.Namespace, secret.Name = said.LegacyNamespace, said.LegacyName
	}
	return secret, secret.Name != ""
}

// end deletes the Secret of a token, and waits until the server refuses the token.
func end(ctx context.Context, by client.Client, secret corev1.Secret, old *reach.Cluster) error {
	var options []client.DeleteOption
	if secret.UID != "" {
		options = append(options, client.Preconditions{UID: &secret.UID})
	}
	if err := by.Delete(ctx, &secret, options...); client.IgnoreNotFound(err) != nil && !apierrors.IsUnauthorized(err) {
		return fmt.Errorf("deleting the Secret %s of the token: %w", client.ObjectKeyFromObject(&secret), err)
	}
	err := wait.PollUntilContextTimeout(ctx, 500*time.Millisecond, endTimeout, true,
		func(ctx context.Context) (bool, error) {
			_, err := old.Identity(ctx)
			return apierrors.IsUnauthorized(err), nil
		})
	if wait.Interrupted(err) && ctx.Err() == nil {
		return errors.New("the former token is still accepted, although its Secret is gone")
	}
	return err
}

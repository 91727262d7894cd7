package clientmgr

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
)

// wishOf reduces a KubevirtConfig and its Secret, as the supervisor's cache has them, and returns
// the Secret's name.
func (m *KubevirtClientManager) wishOf(
	ctx context.Context, config *vitistackv1alpha1.KubevirtConfig,
) (clusters.Wish, types.NamespacedName) {
	w := clusters.Wish{
		UID:           config.UID,
		RememberedUID: cmp.Or(config.Status.ClusterUID, config.Annotations[vitistackv1alpha1.AnnotationClusterUID]),
		AcceptedUID:   config.Annotations[vitistackv1alpha1.AnnotationAcceptClusterUID],
		OnDemand:      m.options.Serves != nil && !m.options.Serves(config.Name),
	}
	w.FormerUIDs = listed(config.Annotations[vitistackv1alpha1.AnnotationFormerClusterUIDs])
	if since := config.Status.DisconnectedSince; since != nil {
		w.DisconnectedSince = since.Time
	}
	secret, problem := m.secretOf(config)
	if problem != "" {
		w.Problem = problem
		return w, secret
	}
	w.Kubeconfig, w.Problem = m.kubeconfigIn(ctx, secret)
	return w, secret
}

// listed splits a list that is joined by commas, sorted and without repetitions.
func listed(joined string) []string {
	names := strings.FieldsFunc(joined, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
	slices.Sort(names)
	return slices.Compact(names)
}

// secretOf names the Secret of a config. A namespaced config has it beside it: what lies in another
// namespace is not the business of whoever may write configs in this one.
func (m *KubevirtClientManager) secretOf(
	config *vitistackv1alpha1.KubevirtConfig,
) (secret types.NamespacedName, problem string) {
	secret = types.NamespacedName{Namespace: config.Spec.SecretNamespace, Name: config.Spec.KubeconfigSecretRef}
	switch {
	case secret.Name == "":
		return types.NamespacedName{}, fmt.Sprintf("KubevirtConfig %s has no kubeconfigSecretRef", config.Name)
	case config.Namespace != "" && secret.Namespace != "" && secret.Namespace != config.Namespace:
		return types.NamespacedName{}, fmt.Sprintf(
			"KubevirtConfig %s: secretNamespace is not the namespace of the KubevirtConfig", config.Name)
	case config.Namespace != "":
		secret.Namespace = config.Namespace
	case secret.Namespace == "":
		return types.NamespacedName{}, fmt.Sprintf("KubevirtConfig %s has no secretNamespace", config.Name)
	}
	return secret, ""
}

// kubeconfigIn reads the kubeconfig of a Secret, or says why there is none.
func (m *KubevirtClientManager) kubeconfigIn(
	ctx context.Context, name types.NamespacedName,
) (kubeconfig []byte, problem string) {
	secret := &corev1.Secret{}
	err := m.cache.Get(ctx, name, secret)
	if err != nil && !apierrors.IsNotFound(err) && m.unwatched != nil { // its namespace is not watched
		secret, err = m.unwatched.get(name)
	}
	switch {
	case errors.Is(err, errNotRead):
		return nil, fmt.Sprintf("kubeconfig secret %s/%s has not been read yet", name.Namespace, name.Name)
	case apierrors.IsForbidden(err):
		return nil, fmt.Sprintf("failed to get kubeconfig secret %s/%s: forbidden", name.Namespace, name.Name)
	case err != nil:
		return nil, fmt.Sprintf("failed to get kubeconfig secret %s/%s", name.Namespace, name.Name)
	}
	for _, key := range []string{vitistackv1alpha1.KubeconfigSecretKey, valueKey} {
		if data := secret.Data[key]; len(data) > 0 {
			return data, ""
		}
	}
	return nil, fmt.Sprintf("secret %s/%s does not contain 'kubeconfig' key", name.Namespace, name.Name)
}

package fleet

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/vitistack/kubevirt-multicluster/api/rbac"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/internal/manifest"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// TestRightsAreTheDocumentedOnes compares what the API server says that the operator may do with
// the manifests, namespace by namespace.
func TestRightsAreTheDocumentedOnes(t *testing.T) {
	for _, c := range shared.Clusters() {
		documented := rbac.Remote
		if c.isSupervisor() {
			documented = rbac.Supervisor
		}
		for _, namespace := range []string{"default", "kube-system", operatorNamespace, ConfigsNamespace} {
			t.Run(c.Name+"/"+namespace, func(t *testing.T) {
				want := rights(t, c.ControlPlane, namespace)
				for _, rule := range rules(t, documented, namespace) {
					want.add(rule.APIGroups, rule.Resources, rule.ResourceNames, rule.NonResourceURLs, rule.Verbs)
				}
				if diff := cmp.Diff(want.sorted(), review(t, newClient(t, operator(t, c)), namespace).sorted()); diff != "" {
					t.Errorf("rights: -want +got\n%s", diff)
				}
			})
		}
	}
}

// rightSet has an entry for each verb on each resource.
type rightSet map[string]bool

func (s rightSet) sorted() []string { return slices.Sorted(maps.Keys(s)) }

func (s rightSet) add(groups, resources, names, urls, verbs []string) {
	for _, verb := range verbs {
		for _, url := range urls {
			s[verb+" "+url] = true
		}
		for _, group := range groups {
			for _, resource := range resources {
				s[fmt.Sprintf("%s %s.%s %v", verb, resource, group, names)] = true
			}
		}
	}
}

// rights are those of a service account that nobody gave any.
func rights(t *testing.T, cluster *controlplane.Cluster, namespace string) rightSet {
	t.Helper()
	config, err := cluster.ConfigFor(controlplane.User{
		Name:   "system:serviceaccount:default:nobody",
		Groups: []string{"system:serviceaccounts", "system:serviceaccounts:default"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return review(t, newClient(t, config), namespace)
}

func review(t *testing.T, c client.Client, namespace string) rightSet {
	t.Helper()
	review := &authorizationv1.SelfSubjectRulesReview{
		Spec: authorizationv1.SelfSubjectRulesReviewSpec{Namespace: namespace},
	}
	if err := c.Create(t.Context(), review); err != nil {
		t.Fatal(err)
	}
	if review.Status.Incomplete {
		t.Fatalf("the API server does not know all rights: %s", review.Status.EvaluationError)
	}
	found := rightSet{}
	for _, rule := range review.Status.ResourceRules {
		found.add(rule.APIGroups, rule.Resources, rule.ResourceNames, nil, rule.Verbs)
	}
	for _, rule := range review.Status.NonResourceRules {
		found.add(nil, nil, nil, rule.NonResourceURLs, rule.Verbs)
	}
	return found
}

// rules are those of the manifests' roles that count in a namespace.
func rules(t *testing.T, manifests []byte, namespace string) []rbacv1.PolicyRule {
	t.Helper()
	objects, err := manifest.Decode(manifests)
	if err != nil {
		t.Fatal(err)
	}
	var rules []rbacv1.PolicyRule
	for _, object := range objects {
		role := &rbacv1.ClusterRole{}
		if object.GetKind() != "ClusterRole" && (object.GetKind() != "Role" || object.GetNamespace() != namespace) {
			continue
		}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, role); err != nil {
			t.Fatal(err)
		}
		rules = append(rules, role.Rules...)
	}
	return rules
}

// TestRights tries what matters most, in case that the documented rights themselves grow.
func TestRights(t *testing.T) {
	supervisor, east := shared.Supervisor, shared.Remotes[0]
	secret := func(namespace string) *corev1.Secret {
		return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{GenerateName: "rights-", Namespace: namespace}}
	}
	cases := map[string]struct {
		reason  string
		cluster *Cluster
		do      func(ctx context.Context, c client.Client) error
		allowed bool
	}{
		"ListConfigs": {
			reason: "that is how it finds its clusters", cluster: supervisor, allowed: true,
			do: func(ctx context.Context, c client.Client) error {
				return c.List(ctx, &vitistackv1alpha1.KubevirtConfigList{}, client.InNamespace(ConfigsNamespace))
			},
		},
		"ListKubeconfigs": {
			reason: "that is how it learns of a rotation", cluster: supervisor, allowed: true,
			do: func(ctx context.Context, c client.Client) error {
				return c.List(ctx, &corev1.SecretList{}, client.InNamespace(ConfigsNamespace))
			},
		},
		"ListSecretsElsewhere": {
			reason: "other people's Secrets are none of its business", cluster: supervisor,
			do: func(ctx context.Context, c client.Client) error {
				return c.List(ctx, &corev1.SecretList{}, client.InNamespace("default"))
			},
		},
		"WriteKubeconfigs": {
			reason: "people write them", cluster: supervisor,
			do: func(ctx context.Context, c client.Client) error { return c.Create(ctx, secret(ConfigsNamespace)) },
		},
		"DeleteMachines": {
			reason: "people delete them", cluster: supervisor,
			do: func(ctx context.Context, c client.Client) error {
				return c.Delete(ctx, &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Name: "any", Namespace: "default"}})
			},
		},
		"CreateCloudInit": {
			reason: "cloud-init data that does not fit inline", cluster: east, allowed: true,
			do: func(ctx context.Context, c client.Client) error { return c.Create(ctx, secret("default")) },
		},
		"ListRemoteSecrets": {
			reason: "it knows the names of its own", cluster: east,
			do: func(ctx context.Context, c client.Client) error { return c.List(ctx, &corev1.SecretList{}) },
		},
		"DeleteRemoteNamespaces": {
			reason: "a namespace may hold more than it made", cluster: east,
			do: func(ctx context.Context, c client.Client) error {
				return c.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "default"}})
			},
		},
		"BecomeAdmin": {
			reason: "a stolen kubeconfig must not give itself rights", cluster: east,
			do: func(ctx context.Context, c client.Client) error {
				return c.Create(ctx, &rbacv1.ClusterRoleBinding{
					ObjectMeta: metav1.ObjectMeta{GenerateName: "rights-"},
					RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "cluster-admin"},
				})
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			err := tc.do(t.Context(), newClient(t, operator(t, tc.cluster)))
			if tc.allowed && err != nil || !tc.allowed && !apierrors.IsForbidden(err) {
				t.Errorf("\n%s\nallowed %t, got %v", tc.reason, tc.allowed, err)
			}
		})
	}
}

package integration

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/operator/api/v1alpha1"
)

// limited returns a kubeconfig of a user with these rules alone, and what sets other rules.
func (f *fixture) limited(remote *plane, rules ...rbacv1.PolicyRule) (kubeconfig []byte, set func(...rbacv1.PolicyRule)) {
	f.t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: f.namespace, GenerateName: "limited-"}}
	f.must(remote.admin.Create(f.t.Context(), account))
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: f.namespace + "-" + account.Name}, Rules: rules}
	f.must(remote.admin.Create(f.t.Context(), role))
	f.must(remote.admin.Create(f.t.Context(), &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: role.Name},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role.Name},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: account.Namespace, Name: account.Name}},
	}))
	token, _ := f.token(user{remote: remote, name: client.ObjectKeyFromObject(account)})
	return f.kubeconfig(remote, remote.Addr(), token), func(rules ...rbacv1.PolicyRule) {
		role.Rules = rules
		f.must(remote.admin.Update(context.WithoutCancel(f.t.Context()), role))
	}
}

var (
	readConfigMaps = rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"get", "list", "watch"}}
	readIdentity   = rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"namespaces"}, ResourceNames: []string{"kube-system"}, Verbs: []string{"get"}}
)

func TestForbiddenKindIsNeverNotFound(t *testing.T) {
	f := newFixture(t, nil)
	kubeconfig, set := f.limited(east, readIdentity)
	f.config("east", kubeconfig)
	f.reaches("east", clientmgr.Connecting, clientmgr.ReasonForbidden)
	f.refused("east", nil, clientmgr.ErrForbidden)
	live, err := f.Live("east")
	f.must(err)
	err = live.Get(t.Context(), client.ObjectKey{Namespace: f.namespace, Name: "absent"}, &corev1.ConfigMap{})
	if !errors.Is(err, clientmgr.ErrForbidden) || !apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
		t.Errorf("live: want ErrForbidden and the server's 403, got %v", err)
	}
	set(readIdentity, readConfigMaps)
	f.connects("east")
}

func TestRightsAreReviewed(t *testing.T) {
	create := authorizationv1.ResourceAttributes{Verb: "create", Resource: "configmaps"}
	list := authorizationv1.ResourceAttributes{Verb: "list", Resource: "configmaps"}
	f := newFixture(t, func(o *clientmgr.Options) { o.Rights = []authorizationv1.ResourceAttributes{list, create} })
	kubeconfig, set := f.limited(east, readIdentity, readConfigMaps)
	f.config("east", kubeconfig)
	state := f.connects("east")
	if diff := cmp.Diff([]authorizationv1.ResourceAttributes{create}, state.MissingRights); diff != "" || !state.RightsChecked {
		t.Errorf("missing rights: -want +got:\n%s", diff)
	}
	set(readIdentity, readConfigMaps, rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"create"}})
	f.InvalidateClient("east")
	eventually(t, 30*time.Second, func() error {
		if state, _ := f.State("east"); !state.Ready() || !state.RightsChecked || len(state.MissingRights) > 0 {
			return fmt.Errorf("the granted right is still missing: %+v", state)
		}
		return nil
	})
}

func TestUnverifiedIdentity(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		allow  bool
		want   error
	}{
		"refused": {"a ledger written for a known cluster is not trusted to an unknown one", false, clientmgr.ErrForbidden},
		"allowed": {"somebody has decided that this is fine", true, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(o *clientmgr.Options) { o.AllowUnverifiedIdentity = tc.allow })
			kubeconfig, _ := f.limited(east, readConfigMaps)
			f.config("east", kubeconfig)
			state := f.connects("east")
			if diff := cmp.Diff(metav1.ConditionUnknown, state.IdentityVerified); diff != "" || state.ClusterUID != "" {
				t.Errorf("identity: -want +got:\n%s", diff)
			}
			placed := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web", Annotations: map[string]string{
				vitistackv1alpha1.AnnotationPlacement: vitistackv1alpha1.Ledger{
					Config: "east", ClusterUID: "c1", Namespace: "default", VMName: "vm-web", Nonce: "n"}.String(),
			}}}
			if _, _, err := f.GetOrCreateClientFromMachine(t.Context(), placed); !errors.Is(err, tc.want) {
				t.Errorf("%s: want %v, got %v", tc.reason, tc.want, err)
			}
		})
	}
}

func TestKindThatIsNotServed(t *testing.T) {
	f := newFixture(t, func(o *clientmgr.Options) {
		o.Kinds = append(o.Kinds, clientmgr.Kind{Object: &vitistackv1alpha1.Machine{}})
	})
	f.config("west", f.admin(west, west.Addr()))
	state := f.reaches("west", clientmgr.Connecting, clientmgr.ReasonKindNotServed)
	if diff := cmp.Diff("the server does not serve a declared kind: Machine.vitistack.io", state.Message); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	f.refused("west", nil, clientmgr.ErrKindNotServed)
	live, err := f.Live("west")
	f.must(err)
	err = live.Get(t.Context(), client.ObjectKey{Namespace: "default", Name: "web"}, &vitistackv1alpha1.Machine{})
	if !errors.Is(err, clientmgr.ErrKindNotServed) || apierrors.IsNotFound(err) {
		t.Errorf("live: want ErrKindNotServed and no NotFound, got %v", err)
	}
	f.must(live.Get(t.Context(), client.ObjectKey{Name: f.namespace}, &corev1.Namespace{}))
	f.must(define(t.Context(), west.admin, "machines.vitistack.io"))
	f.connects("west")
}

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

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
)

// limited returns a token of a user with these rules alone, and what sets other rules.
func (f *fixture) limited(remote *plane, rules ...rbacv1.PolicyRule) (token string, set func(...rbacv1.PolicyRule)) {
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
	token, _ = f.token(user{remote: remote, name: client.ObjectKeyFromObject(account)})
	return token, func(rules ...rbacv1.PolicyRule) {
		role.Rules = rules
		f.must(remote.admin.Update(context.WithoutCancel(f.t.Context()), role))
	}
}

var (
	readConfigMaps = rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"},
		Verbs: []string{"get", "list", "watch"}}
	readIdentity = rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"namespaces"},
		ResourceNames: []string{"kube-system"}, Verbs: []string{"get"}}
)

func TestForbiddenKindIsNeverNotFound(t *testing.T) {
	t.Parallel()
	f := newFixture(t, nil)
	other := f.bystander()
	proxy := f.proxy(east, true)
	token, set := f.limited(east, readIdentity)
	f.config("east", f.kubeconfig(east, proxy.Addr(), token))
	f.reaches("east", clientmgr.Connecting, clientmgr.ReasonForbidden)
	f.refused("east", nil, clientmgr.ErrForbidden)
	live, err := f.Live("east")
	f.must(err)
	err = live.Get(t.Context(), f.key("absent"), &corev1.ConfigMap{})
	if !errors.Is(err, clientmgr.ErrForbidden) || !apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
		t.Errorf("live: want ErrForbidden and the server's 403, got %v", err)
	}
	set(readIdentity, readConfigMaps)
	f.connects("east")

	f.must(east.admin.Create(t.Context(), f.configMap("held")))
	f.sees("east", "held")
	held := f.client("east")
	set(readIdentity) // the watch that is open lives on; the next one is not let in
	eventually.Eventually(t, 60*time.Second, "the lost right is noticed", func(context.Context) error {
		f.must(proxy.Set(faults.Fault{Kind: faults.Cut}))
		if state, _ := f.State("east"); state.Phase != clientmgr.Degraded || state.Reason != clientmgr.ReasonForbidden {
			return fmt.Errorf("want Degraded/Forbidden, is %s/%s", state.Phase, state.Reason)
		}
		return nil
	})
	f.refused("east", held, clientmgr.ErrForbidden)
	set(readIdentity, readConfigMaps)
	f.connects("east")
	other.check(t)
}

func TestRightsAreReviewed(t *testing.T) {
	t.Parallel()
	create := authorizationv1.ResourceAttributes{Verb: "create", Resource: "configmaps"}
	list := authorizationv1.ResourceAttributes{Verb: "list", Resource: "configmaps"}
	f := newFixture(t, func(o *clientmgr.Options) { o.Rights = []authorizationv1.ResourceAttributes{list, create} })
	token, set := f.limited(east, readIdentity, readConfigMaps)
	f.config("east", f.kubeconfig(east, east.Addr(), token))
	state := f.connects("east")
	if diff := cmp.Diff([]authorizationv1.ResourceAttributes{create}, state.MissingRights); diff != "" ||
		!state.RightsChecked {
		t.Errorf("missing rights: -want +got:\n%s", diff)
	}
	set(readIdentity, readConfigMaps,
		rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"create"}})
	eventually.Eventually(t, 30*time.Second, "the granted right is noticed", func(context.Context) error {
		if state, _ := f.State("east"); !state.Ready() || !state.RightsChecked || len(state.MissingRights) > 0 {
			return fmt.Errorf("the right was granted, and is still missing: %+v", state)
		}
		return nil
	})
}

func TestUnverifiedIdentity(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason string
		allow  bool
		want   error
	}{
		"refused": {"a ledger written for a known cluster is not trusted to an unknown one", false,
			clientmgr.ErrIdentityUnverified},
		"allowed": {"the option concerns clusters that never had a UID, and this ledger names one", true,
			clientmgr.ErrIdentityUnverified},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, func(o *clientmgr.Options) { o.AllowUnverifiedIdentity = tc.allow })
			token, _ := f.limited(east, readConfigMaps)
			f.config("east", f.kubeconfig(east, east.Addr(), token))
			state := f.connects("east")
			if diff := cmp.Diff(metav1.ConditionUnknown, state.IdentityVerified); diff != "" || state.ClusterUID != "" {
				t.Errorf("identity: -want +got:\n%s", diff)
			}
			placed := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "web",
				Annotations: map[string]string{
					vitistackv1alpha1.AnnotationPlacement: vitistackv1alpha1.Ledger{
						Config: "east", ClusterUID: "c1", Namespace: "default", VMName: "vm-web", Nonce: "n"}.String(),
				}}}
			if _, _, err := f.GetOrCreateClientFromMachine(t.Context(), placed); !errors.Is(err, tc.want) {
				t.Errorf("%s: want %v, got %v", tc.reason, tc.want, err)
			}
		})
	}
}

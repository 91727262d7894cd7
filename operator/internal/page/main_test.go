package page_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-logr/logr"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/app"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
)

// configsNamespace is that of the KubevirtConfigs.
const configsNamespace = "kubevirt-configs"

// world is a supervisor that all tests of the package share.
var world struct {
	plane *controlplane.Cluster
	admin client.Client
	audit string
}

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "page-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	world.audit = filepath.Join(dir, "audit.log")
	world.plane, err = controlplane.Start(context.Background(),
		controlplane.Options{Name: "supervisor", AuditLog: world.audit})
	if err != nil {
		return 1, err
	}
	defer func() {
		if stopped := world.plane.Stop(); err == nil {
			err = stopped
		}
	}()
	_, err = envtest.InstallCRDs(world.plane.Config(), envtest.CRDInstallOptions{
		Paths: []string{filepath.Join("..", "..", "..", "api", "crds")}, ErrorIfPathMissing: true})
	if err != nil {
		return 1, err
	}
	scheme, err := app.NewScheme()
	if err != nil {
		return 1, err
	}
	if world.admin, err = client.New(world.plane.Config(), client.Options{Scheme: scheme}); err != nil {
		return 1, err
	}
	for _, name := range []string{configsNamespace, "blue", "green", "red"} {
		if err := create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
			return 1, err
		}
	}
	for _, machine := range []*vitistackv1alpha1.Machine{
		{ObjectMeta: metav1.ObjectMeta{Namespace: "blue", Name: "web"}},
		{ObjectMeta: metav1.ObjectMeta{Namespace: "green", Name: "database"}},
		{ObjectMeta: metav1.ObjectMeta{Namespace: "red", Name: "secret-project"}},
	} {
		if err := create(machine); err != nil {
			return 1, err
		}
	}
	if err := create(&vitistackv1alpha1.KubevirtConfig{
		ObjectMeta: metav1.ObjectMeta{Namespace: configsNamespace, Name: "cluster-east"},
		Spec:       vitistackv1alpha1.KubevirtConfigSpec{KubeconfigSecretRef: "east-kubeconfig"},
	}); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

func create(object client.Object) error { return world.admin.Create(context.Background(), object) }

// person is a service account of the supervisor.
type person struct {
	t    *testing.T
	name string
}

// newPerson makes one without any right.
func newPerson(t *testing.T, name string) person {
	t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
	must(t, world.admin.Create(t.Context(), account))
	t.Cleanup(func() { must(t, world.admin.Delete(context.WithoutCancel(t.Context()), account)) })
	return person{t, name}
}

// mayList lets the person list Machines in a namespace, or in all where it is "", and
// KubevirtConfigs where it is that of them.
func (p person) mayList(resource, namespace string) (takeBack func()) {
	p.t.Helper()
	name := p.name + "-" + resource + "-" + namespace
	rules := []rbacv1.PolicyRule{{APIGroups: []string{"vitistack.io"}, Resources: []string{resource}, Verbs: []string{"list"}}}
	subjects := []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "default", Name: p.name}}
	meta := metav1.ObjectMeta{Namespace: namespace, Name: name}
	ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name}
	var role, binding client.Object = &rbacv1.Role{ObjectMeta: meta, Rules: rules},
		&rbacv1.RoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}
	if namespace == "" {
		ref.Kind = "ClusterRole"
		role, binding = &rbacv1.ClusterRole{ObjectMeta: meta, Rules: rules},
			&rbacv1.ClusterRoleBinding{ObjectMeta: meta, RoleRef: ref, Subjects: subjects}
	}
	must(p.t, world.admin.Create(p.t.Context(), role))
	must(p.t, world.admin.Create(p.t.Context(), binding))
	return func() { must(p.t, world.admin.Delete(context.WithoutCancel(p.t.Context()), binding)) }
}

// token is one of the person, for audiences; without any it is for the API server. end revokes it:
// it is bound to a Secret.
func (p person) token(audiences ...string) (token string, end func()) {
	p.t.Helper()
	bound := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "default", GenerateName: "bound-"}}
	must(p.t, world.admin.Create(p.t.Context(), bound))
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		Audiences:      audiences,
		BoundObjectRef: &authenticationv1.BoundObjectReference{APIVersion: "v1", Kind: "Secret", Name: bound.Name, UID: bound.UID},
	}}
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: p.name}}
	must(p.t, world.admin.SubResource("token").Create(p.t.Context(), account, request))
	return request.Status.Token, func() { must(p.t, world.admin.Delete(context.WithoutCancel(p.t.Context()), bound)) }
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

package firstday

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

const (
	east, west = "cluster-east", "cluster-west"
	patience   = 4 * time.Minute
	own        = "kubevirt-operator" // the operator's namespace, service account and a part of its role's name
)

// TestCluster goes the way of a remote cluster from a bare KubeVirt to its end.
func TestCluster(t *testing.T) {
	bare(t, east)
	startOperator(t)
	eventually.Eventually(t, patience, "the operator knows "+west, func(ctx context.Context) error {
		config := &vitistackv1alpha1.KubevirtConfig{}
		err := supervisor().Get(ctx, client.ObjectKey{Namespace: fleet.ConfigsNamespace, Name: west}, config)
		if err == nil && config.Status.ClusterUID == "" {
			err = errors.New("it has no identity yet")
		}
		return err
	})
	t.Run("refusals", refusals)
	if t.Failed() {
		return
	}
	t.Run("add", added)
	t.Run("again", addedAgain)
	t.Run("check", checked)
	t.Run("rotate", rotated)
	t.Run("remove", removed)
}

// bare takes away what the fleet has prepared for the operator.
func bare(t *testing.T, name string) {
	t.Helper()
	for _, object := range []client.Object{
		&vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Namespace: fleet.ConfigsNamespace, Name: name}},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: fleet.ConfigsNamespace, Name: fleet.SecretName(name)}},
	} {
		if err := supervisor().Delete(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: own}}
	for _, object := range []client.Object{
		&rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: own + "-remote"}},
		&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: own + "-remote"}}, namespace,
	} {
		if err := world.remote[name].Delete(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	eventually.Eventually(t, patience, "the namespace is gone", func(ctx context.Context) error {
		err := world.remote[name].Get(ctx, client.ObjectKeyFromObject(namespace), namespace)
		if err == nil {
			return errors.New("it is there")
		}
		return client.IgnoreNotFound(err)
	})
}

// traces are what adding a cluster leaves: in the supervisor, and in the remote cluster.
func traces(t *testing.T, remote string) []string {
	t.Helper()
	var all []string
	note := func(where string, list client.ObjectList, c client.Client, options ...client.ListOption) {
		if err := c.List(t.Context(), list, options...); err != nil {
			t.Fatal(err)
		}
		items, err := meta.ExtractList(list)
		if err != nil {
			t.Fatal(err)
		}
		for _, item := range items {
			object := item.(client.Object)
			all = append(all, fmt.Sprintf("%s %T %s/%s %s", where, object, object.GetNamespace(), object.GetName(),
				object.GetResourceVersion()))
		}
	}
	configs := client.InNamespace(fleet.ConfigsNamespace)
	note("supervisor", &corev1.SecretList{}, supervisor(), configs)
	configList := &vitistackv1alpha1.KubevirtConfigList{}
	if err := supervisor().List(t.Context(), configList, configs); err != nil {
		t.Fatal(err)
	}
	for _, config := range configList.Items { // the operator writes their status
		all = append(all, "supervisor KubevirtConfig "+config.Name)
	}
	note(remote, &corev1.NamespaceList{}, world.remote[remote])
	note(remote, &corev1.SecretList{}, world.remote[remote])
	note(remote, &corev1.ServiceAccountList{}, world.remote[remote])
	note(remote, &rbacv1.ClusterRoleList{}, world.remote[remote])
	note(remote, &rbacv1.ClusterRoleBindingList{}, world.remote[remote])
	slices.Sort(all)
	return all
}

// everything is the right to do what add does, but for the rights that it hands on.
func everything() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		rule("", []string{"namespaces", "serviceaccounts", "secrets", "serviceaccounts/token"}, "get", "list", "create", "patch",
			"delete"),
		rule(rbacv1.GroupName, []string{"clusterroles", "clusterrolebindings"}, "get", "create", "patch"),
		rule("kubevirt.io", []string{"kubevirts"}, "list"),
	}
}

// refusals are what add says no to. None of them leaves anything, in either cluster.
func refusals(t *testing.T) {
	admin := kubeconfigOf(t, east)
	content, err := os.ReadFile(admin)
	if err != nil {
		t.Fatal(err)
	}
	insecure, err := clientcmd.Load(content)
	if err != nil {
		t.Fatal(err)
	}
	for _, each := range insecure.Clusters {
		each.InsecureSkipTLSVerify, each.CertificateAuthorityData, each.CertificateAuthority = true, nil, ""
	}
	unverified, err := clientcmd.Write(*insecure)
	if err != nil {
		t.Fatal(err)
	}
	reader := userOf(t, east, "reader", rule("", []string{"namespaces"}, "get"))
	half := userOf(t, east, "half", everything()...)
	guest := userOf(t, fleet.Supervisor, "guest", rule("", []string{"namespaces"}, "get"),
		rule("vitistack.io", []string{"kubevirtconfigs"}, "get", "list"))
	foreign := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: fleet.ConfigsNamespace, Name: "taken-kubeconfig"}}
	if err := supervisor().Create(t.Context(), foreign); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		reason string
		by     string // kubeconfig of the supervisor, "" for the administrator's
		typed  string
		args   []string
		want   []string
	}{
		"few rights": {
			reason: "The rights are asked for before anything is made.",
			args:   []string{east, "--kubeconfig", reader},
			want:   []string{"you lack rights in the remote cluster: ", "create clusterroles.rbac.authorization.k8s.io"},
		},
		"rights to hand on": {
			reason: "The server gives nobody the right to hand on rights that he does not have.",
			args:   []string{east, "--kubeconfig", half},
			want:   []string{"you may not make ClusterRole kubevirt-operator-remote: ", "attempting to grant RBAC permissions"},
		},
		"few rights in the supervisor": {
			reason: "It would fail at the last step.", by: guest,
			args: []string{east, "--kubeconfig", admin},
			want: []string{"you lack rights in the supervisor: ", "create secrets in kubevirt-configs"},
		},
		"no KubeVirt": {
			reason: "There is nothing that could run a virtual machine.",
			args:   []string{"here", "--kubeconfig", kubeconfigOf(t, fleet.Supervisor), "--allow-supervisor"},
			want:   []string{"KubeVirt is not installed", "install it in the remote cluster first"},
		},
		"the supervisor": {
			reason: "Who forgot --context adds the cluster that he is in.",
			args:   []string{"here", "--kubeconfig", kubeconfigOf(t, fleet.Supervisor)},
			want:   []string{"the kubeconfig leads to the supervisor itself", "--allow-supervisor"},
		},
		"two names": {
			reason: "A cluster with two names would be counted twice.",
			args:   []string{"another", "--kubeconfig", kubeconfigOf(t, west)},
			want:   []string{"this cluster is there already: KubevirtConfig cluster-west stands for it"},
		},
		"another cluster": {
			reason: "The name stands for a cluster, with the Machines in it.",
			args:   []string{west, "--kubeconfig", admin},
			want:   []string{"KubevirtConfig cluster-west stands for another cluster"},
		},
		"a Secret of somebody": {
			reason: "Nothing is overwritten that this command did not make.",
			args:   []string{"taken", "--kubeconfig", admin},
			want:   []string{"the supervisor has a Secret kubevirt-configs/taken-kubeconfig"},
		},
		"a name": {
			reason: "A KubevirtConfig cannot have this name.",
			args:   []string{"Cluster_East", "--kubeconfig", admin},
			want:   []string{`"Cluster_East" cannot be the name of a KubevirtConfig`},
		},
		"no file":    {reason: "A typing error.", args: []string{east, "--kubeconfig", "/none"}, want: []string{"/none"}},
		"no context": {reason: "A typing error.", args: []string{east, "--kubeconfig", admin, "--context", "moon"}, want: []string{"moon"}},
		"not verified": {
			reason: "Whoever sits on the wire could be the cluster.",
			args:   []string{east, "--kubeconfig", file(t, "insecure", unverified)},
			want:   []string{"insecure-skip-tls-verify"},
		},
		"plain address": {
			reason: "The operator would refuse it.",
			args:   []string{east, "--kubeconfig", admin, "--server", "http://127.0.0.1:1"},
			want:   []string{`the server's address is "http://127.0.0.1:1": want https://`},
		},
		"no namespace": {
			reason: "The Secret would have no place.",
			args:   []string{east, "--kubeconfig", admin, "--configs-namespace", "nowhere"},
			want:   []string{"the supervisor has no namespace nowhere"},
		},
		"no supervisor": {
			reason: "The current context is some other cluster.", by: kubeconfigOf(t, west),
			args: []string{east, "--kubeconfig", admin},
			want: []string{"is no supervisor: it has no definition of KubevirtConfig"},
		},
		"no": {
			reason: "The person says no.", typed: "n\n",
			args: []string{east, "--kubeconfig", admin},
			want: []string{"Go on? [y/N]", "nothing was done"},
		},
		"nobody": {
			reason: "A script has no terminal.",
			args:   []string{east, "--kubeconfig", admin},
			want:   []string{"nobody answered, so nothing was done: say --yes"},
		},
		"an address that does not answer": {
			reason: "The token is tried where the operator will use it; what was made by then is taken back.",
			args:   []string{east, "--kubeconfig", admin, "--server", "https://127.0.0.1:1", "--yes"},
			want:   []string{"the new token was tried and does not do", "what was made in the remote cluster is taken back"},
		},
		"two kinds of token": {
			reason: "A token without an end has none after a time.",
			args:   []string{east, "--kubeconfig", admin, "--permanent", "--expires", "1h", "--yes"},
			want:   []string{"if any flags in the group [expires permanent] are set"},
		},
	}
	for _, name := range slices.Sorted(mapKeys(cases)) {
		tc := cases[name]
		t.Run(name, func(t *testing.T) {
			by := tc.by
			if by == "" {
				by = world.fleet.Supervisor.Kubeconfig()
			}
			before := traces(t, east)
			called(t, by, tc.typed, append([]string{"cluster", "add"}, tc.args...)...).says(t, 2, tc.want...)
			gone(t, own)
			if diff := cmp.Diff(before, traces(t, east)); diff != "" {
				t.Errorf("%s It leaves something: -before +after:\n%s", tc.reason, diff)
			}
		})
	}
}

// mapKeys are the keys of a map.
func mapKeys[V any](of map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for key := range of {
			if !yield(key) {
				return
			}
		}
	}
}

// gone waits while a namespace of east is on its way out.
func gone(t *testing.T, name string) {
	t.Helper()
	eventually.Eventually(t, patience, "the namespace is gone", func(ctx context.Context) error {
		namespace := &corev1.Namespace{}
		err := world.remote[east].Get(ctx, client.ObjectKey{Name: name}, namespace)
		if err == nil && namespace.DeletionTimestamp != nil {
			return errors.New("it is on its way")
		}
		return client.IgnoreNotFound(err)
	})
}

// added adds east, and runs a Machine there with the rights that were made.
func added(t *testing.T) {
	dry := machine(t, "cluster", "add", east, "--kubeconfig", kubeconfigOf(t, east), "--dry-run")
	dry.says(t, 0, "+ Namespace kubevirt-operator", "+ ClusterRole kubevirt-operator-remote",
		"+ Secret kubevirt-configs/cluster-east-kubeconfig", "+ KubevirtConfig kubevirt-configs/cluster-east")
	asked(t, "y\n", "cluster", "add", east, "--kubeconfig", kubeconfigOf(t, east)).says(t, 0,
		"Go on? [y/N]", "Its token works", "Cluster cluster-east is added")
	connected(t, east)
	runs(t, "first")
	machine(t, "cluster", "list").says(t, 0, "cluster-east", "in 364d")
	secret := kubeconfigSecret(t)
	for _, part := range []string{"BEGIN CERTIFICATE", "client-certificate-data"} {
		if bytes.Contains(secret.Data[vitistackv1alpha1.KubeconfigSecretKey], []byte(part)) &&
			part == "client-certificate-data" {
			t.Errorf("the person's own certificate is in the operator's kubeconfig")
		}
	}
}

// connected waits until the operator is in.
func connected(t *testing.T, name string) {
	t.Helper()
	eventually.Eventually(t, patience, name+" is connected", func(ctx context.Context) error {
		config := &vitistackv1alpha1.KubevirtConfig{}
		if err := supervisor().Get(ctx, client.ObjectKey{Namespace: fleet.ConfigsNamespace, Name: name}, config); err != nil {
			return err
		}
		for _, condition := range []string{"Connected", "IdentityVerified", "RightsSufficient", "KubeVirtReady"} {
			if !meta.IsStatusConditionTrue(config.Status.Conditions, condition) {
				return fmt.Errorf("%s is not true: %+v", condition, config.Status.Conditions)
			}
		}
		return nil
	})
}

// runs makes a Machine in east and waits until it runs.
func runs(t *testing.T, name string) {
	t.Helper()
	m := &vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "default", Name: name, Annotations: map[string]string{vitistackv1alpha1.AnnotationKubevirtConfig: east},
		},
		Spec: vitistackv1alpha1.MachineSpec{InstanceType: "small"},
	}
	if err := supervisor().Create(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	eventually.Eventually(t, patience, name+" runs", func(ctx context.Context) error {
		if err := supervisor().Get(ctx, client.ObjectKeyFromObject(m), m); err != nil {
			return err
		}
		if m.Status.Phase != vitistackv1alpha1.MachinePhaseRunning {
			return fmt.Errorf("it is %s: %s", m.Status.Phase, m.Status.Message)
		}
		return nil
	})
}

func kubeconfigSecret(t *testing.T) *corev1.Secret {
	t.Helper()
	secret := &corev1.Secret{}
	key := client.ObjectKey{Namespace: fleet.ConfigsNamespace, Name: fleet.SecretName(east)}
	if err := supervisor().Get(t.Context(), key, secret); err != nil {
		t.Fatal(err)
	}
	return secret
}

// addedAgain calls it once more: nothing is written. What somebody took away is made again, and the
// credential that works is kept.
func addedAgain(t *testing.T) {
	before := traces(t, east)
	machine(t, "cluster", "add", east, "--kubeconfig", kubeconfigOf(t, east)).says(t, 0, "Nothing is to be done")
	if diff := cmp.Diff(before, traces(t, east)); diff != "" {
		t.Errorf("it writes: -before +after:\n%s", diff)
	}
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: own + "-remote"}}
	if err := world.remote[east].Get(t.Context(), client.ObjectKeyFromObject(role), role); err != nil {
		t.Fatal(err)
	}
	full := role.DeepCopy()
	role.Rules = role.Rules[1:]
	if err := world.remote[east].Update(t.Context(), role); err != nil {
		t.Fatal(err)
	}
	machine(t, "cluster", "add", east, "--kubeconfig", kubeconfigOf(t, east), "--yes").says(t, 0,
		"~ ClusterRole kubevirt-operator-remote", "Cluster cluster-east is added")
	if err := world.remote[east].Get(t.Context(), client.ObjectKeyFromObject(role), role); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(full.Rules, role.Rules); diff != "" {
		t.Errorf("the rights are not those of this release: -want +got:\n%s", diff)
	}
}

// checked looks at east in good and in bad days.
func checked(t *testing.T) {
	machine(t, "cluster", "check", east).says(t, 0, "✓ API server", "✓ the operator's rights", "✓ KubeVirt", "✓ CDI",
		"✓ storage classes", "✓ definitions", "✓ clock", "✓ answer in", "✓ Multus")
	machine(t, "cluster", "check", east).says(t, 0, "· moves", "cluster add --with-moves gives the rights",
		"create virtualmachineexports.export.kubevirt.io")
	machine(t, "cluster", "add", east, "--kubeconfig", kubeconfigOf(t, east), "--with-moves", "--yes").says(t, 0,
		"+ ClusterRole kubevirt-operator-moves", "= the credential, which works", "is added")
	machine(t, "cluster", "check", east).says(t, 0, "✓ moves", "Machines can come, and leave")
	machine(t, "cluster", "check", "--kubeconfig", kubeconfigOf(t, west)).says(t, 0, "✓ your rights", "✓ KubeVirt")
	machine(t, "cluster", "check").says(t, 2, "want either NAME or --kubeconfig FILE")
	machine(t, "cluster", "check", "moon").says(t, 2, "there is no cluster moon; there are cluster-east, cluster-west")
	poor := userOf(t, west, "poor", rule("", []string{"namespaces"}, "get"))
	machine(t, "cluster", "check", "--kubeconfig", poor).says(t, 1, "✗ your rights", "are missing", "? storage classes")
	machine(t, "cluster", "list", "--configs-namespace", "default").says(t, 2,
		"there is no KubevirtConfig in the namespace default", "there are some in kubevirt-configs")
}

// tokens are the Secrets that tokens of the operator in east are bound to.
func tokens(t *testing.T) []string {
	t.Helper()
	list := &corev1.SecretList{}
	if err := world.remote[east].List(t.Context(), list, client.InNamespace(own)); err != nil {
		t.Fatal(err)
	}
	var all []string
	for i := range list.Items {
		all = append(all, list.Items[i].Name)
	}
	return all
}

// rotated replaces the credential: the old one ends, and the operator goes on.
func rotated(t *testing.T) {
	old, oldTokens := kubeconfigSecret(t).Data[vitistackv1alpha1.KubeconfigSecretKey], tokens(t)
	machine(t, "cluster", "rotate", east, "--kubeconfig", kubeconfigOf(t, west), "--yes").says(t, 2,
		"your kubeconfig leads to another cluster")
	if diff := cmp.Diff(oldTokens, tokens(t)); diff != "" {
		t.Errorf("a refusal changed the tokens: %s", diff)
	}
	machine(t, "cluster", "rotate", east, "--kubeconfig", kubeconfigOf(t, east), "--yes").says(t, 0,
		"The operator has a new token", "The old token has ended")
	now := tokens(t)
	if len(now) != 1 || len(oldTokens) != 1 || now[0] == oldTokens[0] {
		t.Errorf("the tokens were %v and are %v", oldTokens, now)
	}
	refused(t, old)
	connected(t, east)
	runs(t, "second")
}

// refused is a kubeconfig that the cluster does not accept any more.
func refused(t *testing.T, kubeconfig []byte) {
	t.Helper()
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	err = c.Get(t.Context(), client.ObjectKey{Name: "kube-system"}, &corev1.Namespace{})
	if !apierrors.IsUnauthorized(err) {
		t.Errorf("the old credential gets %v", err)
	}
}

// removed takes east away, once no Machine is there.
func removed(t *testing.T) {
	last := kubeconfigSecret(t).Data[vitistackv1alpha1.KubeconfigSecretKey]
	machine(t, "cluster", "remove", east, "--yes").says(t, 1, "cluster cluster-east has Machines (2: default/first, default/second): delete them first")
	connected(t, east)
	for _, name := range []string{"first", "second"} {
		m := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name}}
		if err := supervisor().Delete(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		eventually.Eventually(t, patience, name+" is gone", func(ctx context.Context) error {
			err := supervisor().Get(ctx, client.ObjectKeyFromObject(m), m)
			if err == nil {
				return errors.New(strings.Join(m.Finalizers, ", "))
			}
			return client.IgnoreNotFound(err)
		})
	}
	asked(t, "n\n", "cluster", "remove", east).says(t, 2, "nothing was done")
	machine(t, "cluster", "remove", east, "--yes").says(t, 0, "KubevirtConfig kubevirt-configs/cluster-east is gone",
		"The operator's token has ended", "Secret kubevirt-configs/cluster-east-kubeconfig is gone")
	refused(t, last)
	machine(t, "cluster", "remove", east, "--yes").says(t, 2, "there is no cluster cluster-east")
}

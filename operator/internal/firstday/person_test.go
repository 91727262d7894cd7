package firstday

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// answer is what a person sees of one command.
type answer struct {
	out, err string
	code     int
}

func (a answer) String() string { return fmt.Sprintf("code %d\n%s%s", a.code, a.out, a.err) }

// machine runs kubectl machine as the administrator of the supervisor.
func machine(t *testing.T, args ...string) answer {
	t.Helper()
	return asked(t, "", args...)
}

// asked runs it with what the person types.
func asked(t *testing.T, typed string, args ...string) answer {
	t.Helper()
	return called(t, world.fleet.Supervisor.Kubeconfig(), typed, args...)
}

// called runs it with a kubeconfig of the supervisor.
func called(t *testing.T, kubeconfig, typed string, args ...string) answer {
	t.Helper()
	var out, err bytes.Buffer
	cmd := exec.CommandContext(t.Context(), filepath.Join(world.dir, "kubectl-machine"), args...)
	cmd.Env = []string{"KUBECONFIG=" + kubeconfig, "HOME=" + t.TempDir(), "PATH=" + os.Getenv("PATH")}
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(typed), &out, &err
	cmd.Dir = t.TempDir()
	a := answer{}
	if failed := cmd.Run(); failed != nil {
		var exit *exec.ExitError
		if !errors.As(failed, &exit) {
			t.Fatal(failed)
		}
		a.code = exit.ExitCode()
	}
	a.out, a.err = out.String(), err.String()
	return a
}

// says fails unless the answer has a code and all of some words.
func (a answer) says(t *testing.T, code int, words ...string) {
	t.Helper()
	for _, each := range words {
		if !strings.Contains(a.out+a.err, each) {
			t.Errorf("it does not say %q: %s", each, a)
		}
	}
	if a.code != code {
		t.Errorf("it ends with %d, want %d: %s", a.code, code, a)
	}
}

// supervisor is the administrator's client.
func supervisor() client.Client { return world.fleet.Supervisor.Client() }

// kubeconfigOf is the administrator's kubeconfig of a cluster.
func kubeconfigOf(t *testing.T, name string) string {
	t.Helper()
	cluster, err := world.fleet.Cluster(name)
	if err != nil {
		t.Fatal(err)
	}
	return cluster.Kubeconfig()
}

// userOf is a kubeconfig of a cluster for a user who has these rights.
func userOf(t *testing.T, cluster, user string, rules ...rbacv1.PolicyRule) string {
	t.Helper()
	of, err := world.fleet.Cluster(cluster)
	if err != nil {
		t.Fatal(err)
	}
	role := &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: user}, Rules: rules}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: user},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: user},
		Subjects:   []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: user}},
	}
	for _, object := range []client.Object{role, binding} {
		if err := of.Client().Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	content, err := of.ControlPlane.KubeconfigFor(controlplane.User{Name: user})
	if err != nil {
		t.Fatal(err)
	}
	return file(t, user+".kubeconfig", content)
}

// give gives the operator a right in a remote cluster.
func give(t *testing.T, cluster, group string, resources []string, verbs ...string) {
	t.Helper()
	role := &rbacv1.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "given"}, Rules: []rbacv1.PolicyRule{rule(group, resources, verbs...)},
	}
	binding := &rbacv1.ClusterRoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "given"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "given"},
		Subjects:   []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: own, Name: own}},
	}
	for _, object := range []client.Object{role, binding} {
		if err := world.remote[cluster].Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
}

// rule gives verbs on resources of a group.
func rule(group string, resources []string, verbs ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: verbs}
}

// file writes a file.
func file(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// startOperator runs the operator as it is deployed, until the test ends.
func startOperator(t *testing.T) {
	t.Helper()
	plugins, err := filepath.Abs("../../../bin/plugins")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(plugins, "SHA256SUMS")); err != nil {
		t.Fatalf("the placement plugins are missing: run `make bin`: %v", err)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "operator.log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(world.dir, "operator"), "--kubeconfig="+world.fleet.OperatorKubeconfig(),
		"--health-probe-bind-address=0", "--plugin-dir="+plugins)
	cmd.Env = []string{"KUBEVIRT_CONFIGS_NAMESPACE=" + fleet.ConfigsNamespace}
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			t.Errorf("the operator ended with %v", err)
		}
		if content, err := os.ReadFile(log.Name()); t.Failed() && err == nil {
			t.Logf("the operator's log ends with:\n%s", content[max(0, len(content)-6000):])
		}
		_ = log.Close()
	})
}

package fleet

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func TestSupervisorKnowsTheRemotes(t *testing.T) {
	configs := &vitistackv1alpha1.KubevirtConfigList{}
	if err := newClient(t, operator(t, shared.Supervisor)).List(t.Context(), configs,
		client.InNamespace(ConfigsNamespace)); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, config := range configs.Items {
		got[config.Name] = config.Spec.Name + " " + config.Spec.KubeconfigSecretRef
	}
	want := map[string]string{
		"cluster-east": "cluster-east cluster-east-kubeconfig",
		"cluster-west": "cluster-west cluster-west-kubeconfig",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("KubevirtConfigs: -want +got\n%s", diff)
	}
}

func TestCluster(t *testing.T) {
	for _, want := range shared.Clusters() {
		if got, err := shared.Cluster(want.Name); err != nil || got != want {
			t.Errorf("Cluster(%q) = %v, %v", want.Name, got, err)
		}
	}
	_, err := shared.Cluster("cluster-south")
	if !errors.Is(err, ErrUnknownCluster) ||
		!strings.Contains(err.Error(), "want one of supervisor, cluster-east, cluster-west") {
		t.Errorf("an unknown cluster: %v", err)
	}
}

func TestNames(t *testing.T) {
	want := []string{"supervisor", "cluster-east", "cluster-west", "cluster-north", "cluster-4", "cluster-5"}
	if diff := cmp.Diff(want, Options{Remotes: 5}.names()); diff != "" {
		t.Errorf("names: -want +got\n%s", diff)
	}
}

func TestStatus(t *testing.T) {
	var want []Status
	for _, c := range shared.Clusters() {
		status := Status{
			Name: c.Name, State: Running, KubeVirt: "light", Fault: "pass",
			Server: "https://" + c.ControlPlane.Addr(), Proxy: "https://" + c.Proxy.Addr(), Kubeconfig: c.Kubeconfig(),
			PIDs: c.PIDs(),
		}
		if c == shared.Supervisor {
			status.KubeVirt = ""
		}
		want = append(want, status)
	}
	got := shared.Status()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(Status{}, "MemoryMiB")); diff != "" {
		t.Errorf("status: -want +got\n%s", diff)
	}
	for _, status := range got {
		if len(status.PIDs) != 3 || status.MemoryMiB < 100 || status.MemoryMiB > 4000 {
			t.Errorf("%s: %d processes with %d MiB", status.Name, len(status.PIDs), status.MemoryMiB)
		}
	}
}

// TestStatusDoesNotWait is about a person who looks what takes so long.
func TestStatusDoesNotWait(t *testing.T) {
	c := shared.Remotes[0]
	c.lifecycle.Lock()
	defer c.lifecycle.Unlock()
	if got := c.Status().State; got != Running {
		t.Errorf("State = %s", got)
	}
}

func TestAdminKubeconfigs(t *testing.T) {
	for _, c := range shared.Clusters() {
		config, err := clientcmd.BuildConfigFromFlags("", filepath.Join(shared.Dir(), c.Name+".kubeconfig"))
		if err != nil {
			t.Fatal(err)
		}
		if want := "https://" + c.ControlPlane.Addr(); config.Host != want {
			t.Errorf("%s: the administrator is led to %s, want %s", c.Name, config.Host, want)
		}
		if err := identify(t.Context(), config); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}

func TestFilesAreTheOwnersAlone(t *testing.T) {
	for _, file := range []string{shared.OperatorKubeconfig(), shared.Supervisor.Kubeconfig(),
		shared.Remotes[0].Kubeconfig()} {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != 0o600 {
			t.Errorf("%s has mode %o", file, got)
		}
	}
}

// TestAudit finds the operator's own request, with who it was and without what was answered.
func TestAudit(t *testing.T) {
	east := shared.Remotes[0]
	if err := identify(t.Context(), operator(t, east)); err != nil {
		t.Fatal(err)
	}
	filter := audit.Filter{User: OperatorUser, Verb: "get", Resource: "namespaces", Name: "kube-system"}
	eventually.Eventually(t, patience, "the request is in the audit log", func(context.Context) error {
		calls, err := audit.Read(filepath.Join(shared.Dir(), "cluster-east.audit.log"), filter)
		if err == nil && len(calls) == 0 {
			return errors.New("it has no such call")
		}
		return err
	})
	content, err := os.ReadFile(filepath.Join(shared.Dir(), "cluster-east.audit.log"))
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(content), `"responseObject"`) {
		t.Error("the audit log has what was answered, of which Secrets are a part")
	}
}

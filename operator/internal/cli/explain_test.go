package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/vitistack/kubevirt-multicluster/api/crds"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/app"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/exit"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	placementhost "github.com/vitistack/kubevirt-multicluster/placement/host"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
)

// builtPlugins is the folder of the real placement plugins.
func builtPlugins(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../../../bin/plugins")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, placementhost.SumsFile)); err != nil {
		t.Fatalf("the placement plugins are missing: run `make tools`: %v", err)
	}
	return dir
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestExplainCommand explains a Machine of a real supervisor whose one remote cluster has no
// credential: by the default chain, and by one that counts Machines. Nothing of the Machine
// changes.
func TestExplainCommand(t *testing.T) {
	plugins := builtPlugins(t)
	supervisor := controlplane.New(t, controlplane.Options{Name: "supervisor"})
	dir := t.TempDir()
	for name, content := range crds.YAML() {
		write(t, filepath.Join(dir, name+".yaml"), string(content))
	}
	definitions := envtest.CRDInstallOptions{Paths: []string{dir}, ErrorIfPathMissing: true}
	if _, err := envtest.InstallCRDs(supervisor.Config(), definitions); err != nil {
		t.Fatal(err)
	}
	scheme, err := app.NewScheme()
	if err != nil {
		t.Fatal(err)
	}
	admin, err := client.New(supervisor.Config(), client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	web := &vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "web"},
		Spec:       vitistackv1alpha1.MachineSpec{InstanceType: "medium"},
	}
	for _, object := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team-a"}}, web,
		&vitistackv1alpha1.KubevirtConfig{
			ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "east"},
			Spec:       vitistackv1alpha1.KubevirtConfigSpec{Name: "east", KubeconfigSecretRef: "no-such-secret"},
		},
	} {
		if err := admin.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	kubeconfig := filepath.Join(dir, "kubeconfig")
	content, err := supervisor.KubeconfigFor(controlplane.Admin)
	if err != nil {
		t.Fatal(err)
	}
	write(t, kubeconfig, string(content))
	counting := filepath.Join(dir, "placement.yaml")
	write(t, counting, "strategies: [{name: annotation}, {name: spread}]")
	unapplied := filepath.Join(dir, "new.yaml")
	write(t, unapplied, "apiVersion: vitistack.io/v1alpha1\nkind: Machine\nmetadata: {name: new, namespace: team-a}\n"+
		"spec: {instanceType: medium}\n")

	for name, tc := range map[string]struct {
		of      []string
		args    []string
		verdict machine.Verdict
		reason  string
		steps   int
	}{
		"Default": {of: []string{"team-a/web"}, verdict: machine.VerdictWait, reason: "ClustersUnanswered", steps: 4},
		"File":    {of: []string{"-f", unapplied}, verdict: machine.VerdictWait, reason: "ClustersUnanswered", steps: 4},
		"Counting": {
			of:      []string{"team-a/web"},
			args:    []string{"--placement-config", counting},
			verdict: machine.VerdictWait, reason: "NoClusterFits", steps: 2,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			cmd := &cobra.Command{Use: "operator", SilenceUsage: true, SilenceErrors: true}
			cmd.AddCommand(Commands()...)
			cmd.SetOut(&out)
			cmd.SetArgs(slices.Concat([]string{
				"explain", "machine", "-o", "json", "--kubeconfig", kubeconfig, "--plugin-dir", plugins,
			}, tc.of, tc.args))
			if err := cmd.ExecuteContext(t.Context()); !errors.Is(err, placementhost.ErrUndecided) || exit.Code(err) != exit.Negative || exit.Text(err) != "" {
				t.Fatalf("%v: %s", err, out.String())
			}
			var got struct {
				Verdict machine.Verdict
				Reason  string
				Trace   []any
			}
			if err := json.Unmarshal(out.Bytes(), &got); err != nil {
				t.Fatalf("%v: %s", err, out.String())
			}
			if got.Verdict != tc.verdict || got.Reason != tc.reason || len(got.Trace) != tc.steps {
				t.Errorf("it says %s", out.String())
			}
		})
	}
	after := &vitistackv1alpha1.Machine{}
	err = admin.Get(t.Context(), client.ObjectKeyFromObject(web), after)
	if err != nil || after.ResourceVersion != web.ResourceVersion {
		t.Errorf("the Machine was changed (%v)", err)
	}
}

package installation

import (
	"os"
	"path/filepath"
	"testing"

	helmaction "helm.sh/helm/v4/pkg/action"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/kube"
	release "helm.sh/helm/v4/pkg/release/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/deploy/internal/chart"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
)

// operator is the name of the release, of its namespace and of its service account.
const operator = "kubevirt-operator"

// helm is what the program helm has when it runs as the supervisor's administrator. Nothing waits
// for pods, because there are no nodes.
func helm(t *testing.T) *helmaction.Configuration {
	t.Helper()
	content, err := world.supervisor.KubeconfigFor(controlplane.Admin)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	flags := genericclioptions.NewConfigFlags(false)
	namespace := operator
	flags.KubeConfig, flags.Namespace = &path, &namespace
	configuration := helmaction.NewConfiguration()
	if err := configuration.Init(flags, operator, "secret"); err != nil {
		t.Fatal(err)
	}
	return configuration
}

func loadChart(t *testing.T) *helmchart.Chart {
	t.Helper()
	loaded, err := chart.Load(filepath.Join(root, "deploy", "chart"))
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

func installRelease(t *testing.T, of *helmchart.Chart, values map[string]any) *release.Release {
	t.Helper()
	install := helmaction.NewInstall(helm(t))
	install.ReleaseName, install.Namespace, install.CreateNamespace = operator, operator, true
	install.WaitStrategy = kube.HookOnlyStrategy
	made, err := install.RunWithContext(t.Context(), of, values)
	if err != nil {
		t.Fatal(err)
	}
	return made.(*release.Release)
}

func upgradeRelease(t *testing.T, to *helmchart.Chart, values map[string]any) {
	t.Helper()
	upgrade := helmaction.NewUpgrade(helm(t))
	upgrade.Namespace, upgrade.WaitStrategy = operator, kube.HookOnlyStrategy
	if _, err := upgrade.RunWithContext(t.Context(), operator, to, values); err != nil {
		t.Fatal(err)
	}
}

func uninstallRelease(t *testing.T) {
	t.Helper()
	uninstall := helmaction.NewUninstall(helm(t))
	uninstall.WaitStrategy = kube.HookOnlyStrategy
	if _, err := uninstall.Run(operator); err != nil {
		t.Fatal(err)
	}
}

// readValues are those of a file.
func readValues(t *testing.T, path string) map[string]any {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]any{}
	if err := yaml.Unmarshal(content, &values); err != nil {
		t.Fatal(err)
	}
	return values
}

package documents_test

import (
	"regexp"
	"strings"
	"testing"
)

// support is the page that says what a version was tested with.
const support = "deploy/docs/support.md"

// TestSupportIsWhatIsTested holds the table of versions to the go.mod files that tests build other
// people's programs from, and to the commit that the upgrade test begins with.
func TestSupportIsWhatIsTested(t *testing.T) {
	row := regexp.MustCompile("(?m)^\\| ([^|]+) \\| `?([0-9a-f.]+)`? \\|")
	told := map[string]string{}
	for _, match := range row.FindAllStringSubmatch(read(t, support), -1) {
		told[match[1]] = match[2]
	}
	for name, tc := range map[string]struct{ file, pattern string }{
		"Kubernetes, supervisor and remote clusters": {"testkit/programs/kubernetes/go.mod", `k8s.io/kubernetes v(\S+)`},
		"KubeVirt":                     {"testkit/programs/kubevirt/go.mod", `kubevirt.io/kubevirt v(\S+)`},
		"CDI":                          {"testkit/programs/kubevirt/go.mod", `kubevirt.io/containerized-data-importer v(\S+)`},
		"Helm":                         {"deploy/go.mod", `helm.sh/helm/v4 v(\S+)`},
		"the operator before this one": {"operator/internal/upgrade/former_test.go", `const former = "([0-9a-f]{12})`},
	} {
		match := regexp.MustCompile(`\b` + tc.pattern).FindStringSubmatch(read(t, tc.file))
		if match == nil {
			t.Errorf("%s says nothing about %s", tc.file, name)
			continue
		}
		if told[name] != match[1] {
			t.Errorf("%s says that %s %q was tested, %s says %s", support, name, told[name], tc.file, match[1])
		}
		delete(told, name)
	}
	for name := range told {
		t.Errorf("%s says that %s was tested: no test says so", support, name)
	}
}

// TestSupportedSupervisor: the page and the chart refuse the same versions of Kubernetes.
func TestSupportedSupervisor(t *testing.T) {
	match := regexp.MustCompile(`kubeVersion: ">= (\d+\.\d+)\.0-0"`).FindStringSubmatch(read(t, "deploy/chart/Chart.yaml"))
	if match == nil {
		t.Fatal("the chart says nothing about versions of Kubernetes")
	}
	if want := "needs Kubernetes " + match[1] + " or later"; !strings.Contains(read(t, support), want) {
		t.Errorf("%s does not say that the supervisor %s", support, want)
	}
}

package clientmgr_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestDependencies holds the module to what it may build on, its own tests apart.
func TestDependencies(t *testing.T) {
	const module = "github.com/vitistack/kubevirt-multicluster/"
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "./...").CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	packages := strings.Fields(string(out))
	if len(packages) < 100 {
		t.Fatalf("only %d packages are listed: the test looks at nothing", len(packages))
	}
	for _, name := range packages {
		path, ours := strings.CutPrefix(name, module)
		switch {
		case strings.HasPrefix(name, "kubevirt.io/"):
			t.Errorf("%s: the kinds that are cached are an option, so that other tools can use this module", name)
		case ours && path != "clientmgr" && !strings.HasPrefix(path, "clientmgr/") && path != "api" &&
			!strings.HasPrefix(path, "api/"):
			t.Errorf("%s: this module knows the API alone", name)
		case name == "testing" || strings.HasSuffix(name, "/envtest"):
			t.Errorf("%s: not in a production build", name)
		}
	}
}

package walk

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/deployment"
)

// patience bounds one step. The longest compiles the operator.
const patience = 8 * time.Minute

// page is one of deploy/docs that is walked here.
type page struct {
	name string
	// before and after are what happens in the world around a step, by its name.
	before, after map[string]func(*testing.T)
}

// pages are in the order of an installation's life.
var pages = []page{
	{name: "install.md"},
	{name: "add-a-cluster.md"},
}

// elsewhere are pages whose steps other tests do.
var elsewhere = map[string]string{
	"handover.md": "operator/internal/scenarios.TestHandover",
}

// TestPages does what the pages say.
func TestPages(t *testing.T) {
	for _, page := range pages {
		if !t.Run(page.name, func(t *testing.T) { page.walk(t) }) {
			return // what comes next stands on it
		}
	}
}

// TestAllPages holds the list of pages against the folder.
func TestAllPages(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(root, "deploy", "docs", "*.md"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		name := filepath.Base(file)
		walked := slices.ContainsFunc(pages, func(p page) bool { return p.name == name }) || elsewhere[name] != ""
		if found := steps(t, name); len(found) > 0 != walked {
			t.Errorf("%s has %d steps, but walked is %t", name, len(found), walked)
		}
	}
}

func steps(t *testing.T, name string) []deployment.Step {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "deploy", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	found, err := deployment.Steps(string(text))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return found
}

func (p page) walk(t *testing.T) {
	shell, err := deployment.NewShell(t.Context(), world.clone, environment())
	if err != nil {
		t.Fatal(err)
	}
	defer shell.Close()
	for _, step := range steps(t, p.name) {
		if around := p.before[step.Name]; around != nil {
			around(t)
		}
		began := time.Now()
		printed, err := shell.Run(step, patience)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s took %s and printed:\n%s", step.Name, time.Since(began).Round(100*time.Millisecond), printed)
		if err := step.Check(printed); err != nil {
			t.Fatalf("step %s: %v", step.Name, err)
		}
		if around := p.after[step.Name]; around != nil {
			around(t)
		}
	}
}

// environment is what the pages ask for, and where what was built before is kept.
func environment() []string {
	env := []string{
		"PATH=" + world.path, "HOME=" + world.home, "TERM=dumb", "KUBECONFIG=" + filepath.Join(world.clone, "supervisor.kubeconfig"),
		"REGISTRY=" + world.registry, "ARCH=" + runtime.GOARCH,
	}
	return append(env, world.keeps...)
}

package walk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/deployment"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// patience bounds one step. The longest compiles the operator.
const patience = 8 * time.Minute

// page is one of deploy/docs that is walked here.
type page struct {
	name string
	// before and after are what happens in the world around a step, by its name.
	before, after map[string]func(*testing.T)
	// limit bounds a step that says how long it takes, by its name.
	limit map[string]time.Duration
}

// pages are in the order of an installation's life.
var pages = []page{
	{name: "install.md", limit: map[string]time.Duration{"first-day": time.Minute}},
	{name: "add-a-cluster.md"},
	{name: "place.md"},
	{name: "move.md"},
	{name: "restart.md"},
	{name: "rollout.md"},
	{name: "brake.md"},
	{name: "write-a-strategy.md", after: map[string]func(*testing.T){"install": settled}},
	{name: "rotate.md"},
	{name: "migrate.md"},
	{name: "fleet-page.md", after: map[string]func(*testing.T){"viewer": seesThePage}},
	{name: "monitor.md"},
	{name: "troubleshooting.md"},
	{name: "runbooks"},
	{name: "security.md"},
	{name: "failures.md", before: map[string]func(*testing.T){"owe": freezeWest}, after: map[string]func(*testing.T){"owe": thawWest}},
	{name: "restore.md"},
	{name: "uninstall.md"},
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

// TestFirstDay counts the commands that lead to the first Machine, each of which begins a line.
func TestFirstDay(t *testing.T) {
	for _, step := range steps(t, "install.md") {
		if step.Name != "first-day" {
			continue
		}
		if found := regexp.MustCompile(`(?m)^\w+`).FindAllString(step.Script, -1); len(found) != 5 {
			t.Errorf("the first day has %d commands: %v", len(found), found)
		}
		return
	}
	t.Error("install.md has no first day")
}

// TestAllPages holds the list of pages against the folder.
func TestAllPages(t *testing.T) {
	for _, name := range append(names(t, "*.md"), names(t, "runbooks/*.md")...) {
		listed := path.Dir(name)
		if listed == "." {
			listed = name
		}
		walked := slices.ContainsFunc(pages, func(p page) bool { return p.name == listed }) || elsewhere[name] != ""
		if found := steps(t, name); len(found) > 0 != walked {
			t.Errorf("%s has %d steps, but walked is %t", name, len(found), walked)
		}
		for _, line := range unrun(text(t, name)) {
			t.Errorf("%s: nobody runs what is at %q", name, line)
		}
	}
}

// indented is a command that is no step.
var indented = regexp.MustCompile(`^    (kubectl|helm|operator|crdcheck|make) `)

// unrun are the lines at which a page has commands that are no step: fences that say no language,
// and indented lines.
func unrun(page string) []string {
	var found []string
	fenced := false
	for line := range strings.Lines(page) {
		opens := strings.HasPrefix(line, "```") && !fenced
		if opens && strings.TrimSpace(line) == "```" || !fenced && indented.MatchString(line) {
			found = append(found, line)
		}
		if strings.HasPrefix(line, "```") {
			fenced = !fenced
		}
	}
	return found
}

// names are the pages of a pattern.
func names(t *testing.T, pattern string) []string {
	t.Helper()
	found, err := fs.Glob(os.DirFS(filepath.Join(root, "deploy", "docs")), pattern)
	if err != nil || len(found) == 0 {
		t.Fatalf("%s: %v, %v", pattern, found, err)
	}
	return found
}

func text(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, "deploy", "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

func steps(t *testing.T, name string) []deployment.Step {
	t.Helper()
	found, err := deployment.Steps(text(t, name))
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return found
}

// walk does a page, or each page of a folder.
func (p page) walk(t *testing.T) {
	if path.Ext(p.name) == "" {
		for _, name := range names(t, p.name+"/*.md") {
			t.Run(path.Base(name), page{name: name}.walk)
		}
		return
	}
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
		printed, err := shell.Run(step, cmp.Or(p.limit[step.Name], patience))
		if err != nil {
			explain(t)
			t.Fatal(err)
		}
		t.Logf("%s took %s and printed:\n%s", step.Name, time.Since(began).Round(100*time.Millisecond), printed)
		if err := step.Check(printed); err != nil {
			explain(t)
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
		"PATH=" + filepath.Join(world.clone, "bin") + ":" + world.path, "HOME=" + world.home, "TERM=dumb", "KUBECONFIG=" + filepath.Join(world.clone, "supervisor.kubeconfig"),
		"REGISTRY=" + world.registry, "ARCH=" + runtime.GOARCH,
		"NAME=cluster-east", "REMOTE=east.kubeconfig", "MACHINE=my-machine", "NAMESPACE=default", // whom an alert names
	}
	return append(env, world.keeps...)
}

// settled waits, as a person does unawares, until the replicas of before are gone: the one that leads
// may still place a Machine while it ends.
func settled(t *testing.T) {
	t.Helper()
	admin, err := client.New(world.supervisor.Config(), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	eventually.Eventually(t, patience, "there are two Pods", func(ctx context.Context) error {
		pods := &corev1.PodList{}
		if err := admin.List(ctx, pods, client.InNamespace(operator)); err != nil {
			return err
		}
		if len(pods.Items) != 2 {
			return fmt.Errorf("there are %d", len(pods.Items))
		}
		return nil
	})
}

// freezeWest makes cluster-west silent for ever, as far as the page is concerned.
func freezeWest(t *testing.T) {
	t.Helper()
	if err := world.west.Freeze(); err != nil {
		t.Fatal(err)
	}
}

// thawWest brings it back, so that the debt is paid.
func thawWest(t *testing.T) {
	t.Helper()
	if err := world.west.Thaw(); err != nil {
		t.Fatal(err)
	}
	admin, err := client.New(world.west.Config(), client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	owed := &unstructured.Unstructured{}
	owed.SetAPIVersion("kubevirt.io/v1")
	owed.SetKind("VirtualMachine")
	eventually.Eventually(t, patience, "the debt is paid", func(ctx context.Context) error {
		err := admin.Get(ctx, client.ObjectKey{Namespace: "default", Name: "vm-named"}, owed)
		if err == nil {
			err = errors.New("the virtual machine is still there")
		}
		return client.IgnoreNotFound(err)
	})
}

// seesThePage opens the Fleet page with the token that the page has made, at the address in the
// operator's log: there is no kubelet that could forward a port.
func seesThePage(t *testing.T) {
	t.Helper()
	log := read(t, "kubectl -n kubevirt-operator logs deployment/kubevirt-operator\n")
	found := regexp.MustCompile(`"Serving the page","url":"([^"]+)"`).FindStringSubmatch(log)
	if found == nil {
		t.Fatalf("the log does not say where the page is: %s", log)
	}
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, strings.TrimSuffix(found[1], "/")+"/fleet.json", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(read(t, "cat dist/viewer.token\n")))
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	shown, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK || !strings.Contains(string(shown), "my-machine") {
		t.Errorf("the page answers %s, %v: %s", response.Status, err, shown)
	}
}

// read is what a script prints.
func read(t *testing.T, script string) string {
	t.Helper()
	printed, err := aside(t, script)
	if err != nil {
		t.Fatal(err)
	}
	return printed
}

// aside runs a script in a shell of its own, beside the page.
func aside(t *testing.T, script string) (string, error) {
	t.Helper()
	shell, err := deployment.NewShell(t.Context(), world.clone, environment())
	if err != nil {
		return "", err
	}
	defer shell.Close()
	return shell.Run(deployment.Step{Name: "aside", Script: script}, time.Minute)
}

// explain logs what a person would look at who is stuck.
func explain(t *testing.T) {
	t.Helper()
	const script = `
kubectl get pods -A -o wide
kubectl get kubevirtconfigs.vitistack.io -A -o yaml
kubectl get machines.vitistack.io -A -o yaml
for pod in $(kubectl -n kubevirt-operator get pods -o name); do kubectl -n kubevirt-operator logs "$pod" --tail=30; done
`
	printed, err := aside(t, script)
	t.Logf("%s%v", printed, err)
}

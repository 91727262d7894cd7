package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/vitistack/kubevirt-multicluster/"

func list(t *testing.T, arguments ...string) []string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", append([]string{"list"}, arguments...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, out)
	}
	return strings.Fields(string(out))
}

// TestDependencies: strategies are processes of their own, and nothing of the test kit is in the
// binary.
func TestDependencies(t *testing.T) {
	packages := list(t, "-deps", ".")
	if len(packages) < 100 {
		t.Fatalf("only %d packages are listed: the test looks at nothing", len(packages))
	}
	for _, name := range packages {
		for _, forbidden := range []string{"placement-plugins", "testkit"} {
			if within(name, module+forbidden) {
				t.Errorf("the operator imports %s", name)
			}
		}
	}
	for _, name := range list(t, "-deps", "-test", "./...") {
		if within(name, module+"placement-plugins") {
			t.Errorf("a test of the operator imports %s", name)
		}
	}
}

func within(path, root string) bool { return path == root || strings.HasPrefix(path, root+"/") }

// house says which packages of the operator and of the workspace each room of the house may import,
// beside what its own imports bring in.
var house = map[string][]string{
	"custody":       {"api/v1alpha1", "placement"},
	"custody/moves": {"api/v1alpha1"},
	"readiness":     {"api/v1alpha1", "virtualmachine/desired"},
	"readiness/gather": {"clientmgr", "clientmgr/capacity", "clusterstatus/kubevirt", "crdcheck/admit", "readiness",
		"side", "survey", "virtualmachine/desired"},
	"readiness/assess": {"api/v1alpha1", "clientmgr", "problem", "provision", "readiness", "readiness/gather", "side", "survey",
		"virtualmachine/desired"},
	"side":         {},
	"cli/exit":     {},
	"cli/reach":    {"api/v1alpha1", "app", "clientmgr/kubeconfig"},
	"cli/status":   {"api/v1alpha1", "cli/exit", "cli/reach", "cli/terminal"},
	"cli/follow":   {"cli/exit", "cli/terminal"},
	"cli/terminal": {},
	"cli/moving":   {"api/v1alpha1", "cli/exit", "cli/follow", "cli/reach"},
	"cli/rolling":  {"api/v1alpha1", "cli/exit", "cli/follow", "cli/reach"},
	"cli/restart":  {"api/v1alpha1", "cli/exit", "cli/reach", "cli/status"},
	"cli/braking":  {"api/v1alpha1", "cli/exit", "cli/reach"},
	"summary":      {"api/v1alpha1"},
	"evacuation":   {"api/v1alpha1", "clientmgr", "summary", "wake"},
	"rollout":      {"api/v1alpha1", "summary", "virtualmachine/desired", "wake"},
	"classuse":     {"api/v1alpha1", "rollout", "virtualmachine/desired", "wake"},
	"cli/report":   {"api/v1alpha1", "cli/exit", "cli/reach", "cli/terminal", "virtualmachine/desired"},
	"cli/render": {"api/v1alpha1", "app", "cli/exit", "cli/reach", "crdcheck", "crdcheck/admit", "crdcheck/render", "machine",
		"virtualmachine/desired"},
	"cli/cluster": {"api/rbac", "api/v1alpha1", "cli/exit", "cli/reach", "clientmgr", "clientmgr/kubeconfig",
		"clusterstatus/compatibility", "clusterstatus/kubevirt", "removal", "virtualmachine/desired"},
	"page":        {"page/access", "page/feed", "page/view"},
	"page/access": {"api/v1alpha1"},
	"page/feed":   {"api/v1alpha1", "page/view"},
	"page/view":   {"api/v1alpha1"},
	"page/vitals": {"clientmgr", "clientmgr/capacity", "page/view"},
	"wake":        {"api/v1alpha1", "clientmgr"},
	"problem":     {"api/v1alpha1", "clientmgr", "virtualmachine/desired", "virtualmachine/observed"},
	"secrecy":     {},
	"survey": {"api/v1alpha1", "clientmgr", "clientmgr/capacity", "custody", "problem", "secrecy", "side",
		"virtualmachine/desired"},
	"provision": {"api/v1alpha1", "problem", "side", "survey", "virtualmachine/desired"},
	"entries":   {},
	"removal": {"api/v1alpha1", "clientmgr", "custody", "entries", "problem", "provision", "side", "survey", "wake",
		"virtualmachine/desired"},
	"shards":  {"api/v1alpha1", "custody"},
	"guest":   {"api/v1alpha1", "clientmgr/clusters", "problem"},
	"metrics": {"api/v1alpha1"},
	"brake":   {"api/v1alpha1", "entries"},
	"move": {"api/v1alpha1", "clientmgr", "custody", "custody/moves", "problem", "provision", "removal", "side", "survey",
		"wake", "virtualmachine/desired", "virtualmachine/relocation"},
	"machine": {
		"api/v1alpha1", "brake", "clientmgr", "clientmgr/capacity", "custody", "guest", "metrics", "move", "placement", "problem",
		"provision",
		"readiness", "readiness/assess", "readiness/gather", "removal", "shards", "side", "survey", "wake",
		"virtualmachine/desired", "virtualmachine/observed",
	},
}

// TestHouse holds the rooms of the operator to their imports. The judge in particular sees values
// alone: no client, no clock, no log.
func TestHouse(t *testing.T) {
	for room, allowed := range house {
		for _, path := range list(t, "-f", "{{join .Imports \"\\n\"}}", "./internal/"+room) {
			inside, ours := strings.CutPrefix(path, module)
			inside = strings.TrimPrefix(inside, "operator/internal/")
			if ours && !slices.Contains(allowed, inside) {
				t.Errorf("%s imports %s", room, inside)
			}
		}
	}
	for _, judge := range []string{"./internal/custody", "./internal/custody/moves"} {
		for _, path := range list(t, "-f", "{{join .Imports \"\\n\"}}", judge) {
			if strings.Contains(path, ".") && !within(path, "k8s.io/apimachinery") && !strings.HasPrefix(path, module) {
				t.Errorf("%s imports %s", judge, path)
			}
		}
		for _, path := range list(t, "-deps", judge) {
			for _, forbidden := range []string{"k8s.io/client-go", "sigs.k8s.io/controller-runtime", "k8s.io/utils/clock",
				"kubevirt.io"} {
				if within(path, forbidden) {
					t.Errorf("%s depends on %s", judge, path)
				}
			}
		}
	}
	for _, path := range list(t, "-deps", "./internal/readiness") {
		for _, forbidden := range []string{"k8s.io/client-go", "sigs.k8s.io/controller-runtime"} {
			if within(path, forbidden) {
				t.Errorf("readiness depends on %s", path)
			}
		}
	}
}

package render_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render"
)

var update = flag.Bool("update", false, "write the golden files")

// snapshots reads one snapshot from each YAML file of a folder.
func snapshots(t *testing.T, dir string) []crdcheck.Snapshot {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", dir, "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no YAML in %s: %v", dir, err)
	}
	var found []crdcheck.Snapshot
	for _, file := range files {
		content, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		crds, err := crdcheck.Load(content)
		if err := errors.Join(err, content.Close()); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		found = append(found, crdcheck.Observed(strings.TrimSuffix(filepath.Base(file), ".yaml"), crds...))
	}
	return found
}

func TestText(t *testing.T) {
	kubeVirt := []string{"virtualmachines.kubevirt.io", "virtualmachineinstances.kubevirt.io"}
	cases := map[string]struct {
		reason string
		report func(t *testing.T) crdcheck.Report
	}{
		"require": {
			reason: "each rule of Require, as people read it",
			report: func(t *testing.T) crdcheck.Report {
				return crdcheck.Require(snapshots(t, "require")[0], []crdcheck.Requirement{
					{CRD: "machines.vitistack.io", Version: "v1alpha1", Fields: []crdcheck.Field{
						crdcheck.Reads("spec.instanceType", "spec.machineClass"), crdcheck.Reads("spec.kubevirtConfigRef"),
						crdcheck.Reads("spec.memory", "spec.ram"), crdcheck.Writes("status.phase"), crdcheck.Writes("status.conditions"),
					}},
					{CRD: "networkconfigurations.vitistack.io", Version: "v1alpha1", Fields: []crdcheck.Field{
						crdcheck.Writes("spec.networks", "spec.networkInterfaces"), crdcheck.Reads("status.phase"),
					}},
					{CRD: "kubevirtconfigs.vitistack.io", Version: "v1alpha1"},
					{CRD: "widgets.example.com", Version: "v1"},
					{CRD: "widgets.example.com", Version: "v2"},
				})
			},
		},
		"fleet": {
			reason: "each rule of Fleet; the order of clusters is that of their names, and the unreachable one is no baseline",
			report: func(t *testing.T) crdcheck.Report {
				return crdcheck.Fleet(append(snapshots(t, "fleet"), crdcheck.Unobserved("alpha", "no answer in time")), kubeVirt)
			},
		},
		"objects": {
			reason: "each rule of package admit; an object that is as it should be is told too",
			report: func(*testing.T) crdcheck.Report {
				object := crdcheck.Subject{CRD: "widgets.example.com", Cluster: "east", Version: "v1", Object: "Widget default/bad"}
				good := object
				good.Object = "Widget default/good"
				var findings []crdcheck.Finding
				for i, rule := range []crdcheck.RuleID{
					crdcheck.RuleObjectRefused, crdcheck.RuleObjectPruned, crdcheck.RuleObjectDefaulted,
					crdcheck.RuleObjectUnchecked, crdcheck.RuleObjectWarned,
				} {
					f := rule.Finding(crdcheck.Write)
					f.CRD, f.Cluster, f.Version = object.CRD, object.Cluster, object.Version
					f.Object, f.Path = object.Object, "spec.field"
					f.New = []string{"Required value", "", `"filled"`, "", "v1 is deprecated"}[i]
					findings = append(findings, f)
				}
				return crdcheck.NewReport([]crdcheck.Subject{object, good}, findings)
			},
		},
		"crowd": {
			reason: "releases that are far apart do not fill the log, and no value a screen",
			report: func(t *testing.T) crdcheck.Report {
				return crdcheck.Fleet(snapshots(t, "crowd"), []string{"widgets.example.com"})
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var text bytes.Buffer
			if err := render.Text(&text, tc.report(t)); err != nil {
				t.Fatal(err)
			}
			golden(t, filepath.Join("testdata", name, "want.txt"), text.Bytes())
		})
	}
}

// TestEveryRuleIsShown holds the golden files to the rules: one that nobody has seen rendered is
// not tested.
func TestEveryRuleIsShown(t *testing.T) {
	files, err := filepath.Glob("testdata/*/want.txt")
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, file := range append(files, "../testdata/coverage.want.txt", "../testdata/definitions.want.txt") {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(content)
	}
	for _, rule := range crdcheck.Rules() {
		if !strings.Contains(all.String(), ", "+string(rule.ID)+" ") {
			t.Errorf("no golden file shows rule %s", rule.ID)
		}
	}
	for _, mark := range []string{render.Good, render.Warning} {
		if !slices.Contains(strings.Fields(all.String()), mark) {
			t.Errorf("no golden file shows %s", mark)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

var errFull = errors.New("no space left")

func TestTextPassesWriteErrors(t *testing.T) {
	if err := render.Text(full{}, crdcheck.Report{}); !errors.Is(err, errFull) {
		t.Errorf("want %v, got %v", errFull, err)
	}
}

func TestMark(t *testing.T) {
	harmless := crdcheck.Finding{Effect: crdcheck.Widens, Direction: crdcheck.Write}
	unknown := crdcheck.Finding{Effect: crdcheck.Unknown}
	marks := []string{render.Mark(harmless), render.Mark(unknown)}
	if diff := cmp.Diff([]string{render.Good, render.Warning}, marks); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

package compatibility

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

var update = flag.Bool("update", false, "write what is derived into usage.yaml")

const vms = "virtualmachines.kubevirt.io"

// golden are the virtual machines that package desired makes, as its own tests have them.
func golden(t *testing.T) []map[string]any {
	t.Helper()
	files, err := filepath.Glob("../../virtualmachine/desired/testdata/*.yaml")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d golden files: %v", len(files), err)
	}
	var made []map[string]any
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var document struct {
			VirtualMachine map[string]any `json:"virtualMachine"`
		}
		if err := yaml.Unmarshal(content, &document); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if document.VirtualMachine != nil {
			made = append(made, document.VirtualMachine)
		}
	}
	return made
}

func kind(t *testing.T, crd string) crdcheck.KindUsage {
	t.Helper()
	usage, err := Usage()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(usage.Kinds, func(k crdcheck.KindUsage) bool { return k.CRD == crd })
	if i < 0 {
		t.Fatalf("usage.yaml has no %s", crd)
	}
	return usage.Kinds[i]
}

// TestWritesAreReal derives what is written from the virtual machines that package desired makes: a
// field that it comes to write, or no longer writes, is to be told in usage.yaml.
func TestWritesAreReal(t *testing.T) {
	if *update {
		write(t, crdcheck.PathsOf(golden(t)...))
	}
	if diff := cmp.Diff(crdcheck.PathsOf(golden(t)...), kind(t, vms).Writes); diff != "" {
		t.Errorf("writes of %s in usage.yaml: -written +told:\n%s", vms, diff)
	}
}

// write puts the paths into usage.yaml; the next run reads them.
func write(t *testing.T, paths []string) {
	t.Helper()
	usage, err := Usage()
	if err != nil {
		t.Fatal(err)
	}
	for i := range usage.Kinds {
		if usage.Kinds[i].CRD == vms {
			usage.Kinds[i].Writes = paths
		}
	}
	encoded, err := yaml.Marshal(usage)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("usage.yaml", encoded, 0o600); err != nil {
		t.Fatal(err)
	}
}

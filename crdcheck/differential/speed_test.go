package differential

import (
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"
)

// many writes 32 MB of definitions, an older and a newer folder, and returns both.
func many(t testing.TB) (old, found string) {
	t.Helper()
	old, found = t.TempDir(), t.TempDir()
	written, seen := 0, map[string]bool{}
	for _, p := range pairs(t) {
		if written >= 32e6 {
			return old, found
		}
		if seen[p.old.Name] || refused[p.project] != "" {
			continue
		}
		seen[p.old.Name] = true
		written += write(t, old, p.old) + write(t, found, p.new)
	}
	t.Fatalf("only %d bytes of definitions", written)
	return "", ""
}

// write writes a definition into a folder, and returns how many bytes it has.
func write(t testing.TB, folder string, definition *crd) int {
	t.Helper()
	whole := *definition
	whole.APIVersion, whole.Kind = "apiextensions.k8s.io/v1", "CustomResourceDefinition"
	text, err := yaml.Marshal(&whole)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, whole.Name+".yaml"), text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return len(text)
}

// TestManyDefinitions compares 32 MB of definitions by the program, which holds all that differ
// against the API server's validation: that costs less than twice what reading and comparing costs,
// and less than 300 MB of memory. Times of the processor are compared, so that other programs on the
// machine do not matter.
func TestManyDefinitions(t *testing.T) {
	program := build(t, "..", "./cmd/crdcheck")
	old, found := many(t)
	same := ask(t, program, "compare", "-q", "-o", "json", old, old)
	changed := ask(t, program, "compare", "-q", "-o", "json", old, found)
	if same.code != 0 || changed.code != 1 {
		t.Fatalf("exit codes %d and %d: %s%s", same.code, changed.code, same.errors, changed.errors)
	}
	for name, a := range map[string]answer{"equal": same, "changed": changed} {
		t.Logf("%s: %v of the processor, %v in all, %d MB", name, a.busy, a.took, a.memory>>20)
		if a.memory > 300<<20 {
			t.Errorf("%s: %d MB were resident", name, a.memory>>20)
		}
	}
	if ratio := float64(changed.busy) / float64(same.busy); ratio > 3 {
		t.Errorf("definitions that differ take %.1f times as long as equal ones", ratio)
	}
}

// TestAllocations: what a pair of VirtualMachine definitions costs the garbage collector, which is
// the same on every machine.
func TestAllocations(t *testing.T) {
	p := find(t, "kubevirt", "v1.8.2", "virtualmachines.kubevirt.io")
	allocations := testing.AllocsPerRun(3, func() { compare(p) })
	t.Logf("%.0f allocations", allocations)
	if allocations > 75_000 {
		t.Errorf("%.0f allocations", allocations)
	}
}

// BenchmarkManyDefinitions is the program with 32 MB of definitions: most of it is YAML.
func BenchmarkManyDefinitions(b *testing.B) {
	program := build(b, "..", "./cmd/crdcheck")
	old, found := many(b)
	b.SetBytes(32e6)
	for b.Loop() {
		a := ask(b, program, "compare", "-q", "-o", "json", old, found)
		b.ReportMetric(a.busy.Seconds(), "processor-s/op")
		b.ReportMetric(float64(a.memory), "resident-B")
	}
}

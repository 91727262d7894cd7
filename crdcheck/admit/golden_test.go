package admit_test

import (
	"os"
	"path/filepath"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/crdcheck/admit"
)

// TestOperatorsObjectsAreKept: every virtual machine that this repository's operator makes, as its
// golden files have them, would be accepted by an API server with KubeVirt's definitions, and kept
// field by field.
func TestOperatorsObjectsAreKept(t *testing.T) {
	files, err := filepath.Glob("../../virtualmachine/desired/testdata/*.yaml")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d golden files: %v", len(files), err)
	}
	crd := kubeVirt(t, "virtualmachines.kubevirt.io")[0]
	definition, err := admit.Compile(&crd)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var golden struct {
			VirtualMachine map[string]any `json:"virtualMachine"`
		}
		if err := yaml.Unmarshal(content, &golden); err != nil {
			t.Fatal(err)
		}
		if golden.VirtualMachine == nil {
			continue
		}
		verdict, err := definition.Create(t.Context(), golden.VirtualMachine)
		if err != nil {
			t.Fatal(err)
		}
		if !verdict.Kept() {
			t.Errorf("%s: pruned %v, refused %v", filepath.Base(file), verdict.Pruned, verdict.Refused)
		}
	}
}

package kubevirt_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
)

// What runs must be what is built.
func TestVersionIsTheOneBuilt(t *testing.T) {
	file, err := os.ReadFile("../programs/kubevirt/go.mod")
	if err != nil {
		t.Fatal(err)
	}
	var built []string
	for line := range strings.Lines(string(file)) {
		fields := strings.Fields(line)
		if i := slices.Index(fields, "kubevirt.io/kubevirt"); i >= 0 && i+1 < len(fields) {
			built = append(built, fields[i+1])
		}
	}
	if len(built) != 1 || built[0] != kubevirt.KubeVirtVersion {
		t.Errorf("go.mod builds %v, KubeVirtVersion is %s", built, kubevirt.KubeVirtVersion)
	}
}

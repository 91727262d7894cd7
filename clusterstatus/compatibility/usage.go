package compatibility

import (
	_ "embed"
	"fmt"

	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

//go:embed usage.yaml
var document []byte

// Usage returns what the operator writes and reads in remote clusters. The error is that of a
// broken usage.yaml, which a test excludes.
func Usage() (crdcheck.Usage, error) {
	var usage crdcheck.Usage
	if err := yaml.UnmarshalStrict(document, &usage); err != nil {
		return crdcheck.Usage{}, fmt.Errorf("usage.yaml: %w", err)
	}
	return usage, nil
}

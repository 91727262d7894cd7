package release

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"
)

// downloads is where the files of a release of the operator are, once it is published.
const downloads = "https://github.com/vitistack/kubevirt-multicluster/releases/download/operator/"

// writeKrew writes the manifest of kubectl machine for krew, with the digests of the archives.
func (r *release) writeKrew(context.Context) error {
	content, err := os.ReadFile(filepath.Join(r.source, "deploy", "krew", "machine.yaml"))
	if err != nil {
		return err
	}
	var manifest struct {
		APIVersion string         `json:"apiVersion"`
		Kind       string         `json:"kind"`
		Metadata   map[string]any `json:"metadata"`
		Spec       map[string]any `json:"spec"`
	}
	if err := yaml.UnmarshalStrict(content, &manifest); err != nil {
		return fmt.Errorf("deploy/krew/machine.yaml: %w", err)
	}
	var platforms []any
	for _, platform := range r.Platforms {
		name := kubectlMachine.file(platform)
		packed, err := os.ReadFile(filepath.Join(r.Folder, name))
		if err != nil {
			return err
		}
		platforms = append(platforms, map[string]any{
			"selector": map[string]any{"matchLabels": map[string]any{"os": platform.OS, "arch": platform.Architecture}},
			"uri":      downloads + r.operator.Version + "/" + name,
			"sha256":   fmt.Sprintf("%x", sha256.Sum256(packed)),
			"bin":      "kubectl-machine",
		})
	}
	manifest.Spec["version"], manifest.Spec["platforms"] = r.operator.Version, platforms
	text, err := yaml.Marshal(manifest)
	if err != nil {
		return err
	}
	return r.file("machine.yaml", text)
}

package release

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/vitistack/kubevirt-multicluster/deploy/internal/chart"
	"github.com/vitistack/kubevirt-multicluster/deploy/internal/schemas"
)

// writeManifests writes what is installed: install.yaml, the chart, and the schemas.
func (r *release) writeManifests(context.Context) error {
	install, err := r.install()
	if err != nil {
		return err
	}
	if err := r.file("install.yaml", install); err != nil {
		return err
	}
	loaded, err := chart.Load(filepath.Join(r.source, "deploy", "chart"))
	if err != nil {
		return err
	}
	if "v"+loaded.Metadata.Version != r.operator.Version {
		return fmt.Errorf("the chart's version is %s, and the operator's %s", loaded.Metadata.Version, r.operator.Version)
	}
	if _, err := chart.Package(loaded, r.Folder); err != nil {
		return err
	}
	definitions, err := r.schemas()
	if err != nil {
		return err
	}
	return r.file("crd-schemas.tar.gz", definitions)
}

// install renders the kustomization of the supervisor, with namespaces and definitions first.
func (r *release) install() ([]byte, error) {
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionLegacy
	rendered, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(),
		filepath.Join(r.source, "deploy", "supervisor"))
	if err != nil {
		return nil, err
	}
	stream, err := rendered.AsYaml()
	if err != nil {
		return nil, err
	}
	if image := "/kubevirt-operator:" + r.operator.Version + "\n"; !strings.Contains(string(stream), image) {
		return nil, fmt.Errorf("deploy/supervisor does not run the image of %s", r.operator.Version)
	}
	head := fmt.Sprintf("# The operator %s, of commit %s: kubectl apply --server-side -f install.yaml\n",
		r.operator.Version, r.plan.Commit.Hash)
	return append([]byte(head), stream...), nil
}

// schemas is the archive of the JSON Schemas of all definitions.
func (r *release) schemas() ([]byte, error) {
	paths, err := filepath.Glob(filepath.Join(r.source, "api", "crds", "vitistack.io_*.yaml"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("api/crds has no definitions")
	}
	entries := map[string]entry{}
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		files, err := schemas.Of(content)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(path), err)
		}
		for name, text := range files {
			entries[name] = entry{content: text}
		}
	}
	return archive(entries, r.plan.Commit.Time)
}

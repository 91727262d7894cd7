package kubevirt

import (
	"path/filepath"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
)

// Binaries are the paths of what `make tools` makes of KubeVirt.
type Binaries struct {
	// API, Controller and ExportServer are the programs virt-api, virt-controller and
	// virt-exportserver.
	API, Controller, ExportServer string
	// Definitions and Webhooks are files with the custom resource definitions and with the webhook
	// configurations: YAML streams whose documents are JSON, as testkit/programs/kubevirt/manifests
	// writes them.
	Definitions, Webhooks string
}

// FindBinaries looks for them in the cache that `make tools` fills. It fails if one is missing.
func FindBinaries() (Binaries, error) {
	cache, err := controlplane.CacheDir()
	if err != nil {
		return Binaries{}, err
	}
	dir := filepath.Join(cache, "kubevirt-"+KubeVirtVersion)
	var found Binaries
	for name, path := range map[string]*string{
		"virt-api":          &found.API,
		"virt-controller":   &found.Controller,
		"virt-exportserver": &found.ExportServer,
		"crds.yaml":         &found.Definitions,
		"webhooks.yaml":     &found.Webhooks,
	} {
		if *path, err = controlplane.LookUp(name, dir); err != nil {
			return Binaries{}, err
		}
	}
	return found, nil
}

package chart

import (
	"context"
	"fmt"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/common"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/chart/v2/util"
	release "helm.sh/helm/v4/pkg/release/v1"
)

// Release says what a chart is rendered for.
type Release struct {
	// Name and Namespace are those of the release.
	Name, Namespace string
	// Values are those that differ from the chart's. Default: none.
	Values map[string]any
}

// kubeVersion is that of the Kubernetes that is rendered for where no cluster is asked. A Helm that
// is used as a library would say 1.20.
const kubeVersion = "v1.37.2"

// Load reads a chart from a folder or an archive.
func Load(path string) (*helmchart.Chart, error) { return loader.Load(path) }

// Render returns the release that Helm would install: its manifest and notes. It asks no cluster.
// Values that the chart's schema refuses are an error that has their paths. The chart can be
// rendered again afterwards.
func Render(ctx context.Context, chart *helmchart.Chart, of Release) (*release.Release, error) {
	install := action.NewInstall(action.NewConfiguration())
	install.DryRunStrategy = action.DryRunClient
	install.ReleaseName, install.Namespace = of.Name, of.Namespace
	version, err := common.ParseKubeVersion(kubeVersion)
	if err != nil {
		return nil, err
	}
	install.KubeVersion = version
	rendered, err := install.RunWithContext(ctx, chart, of.Values)
	if err != nil {
		return nil, err
	}
	typed, ok := rendered.(*release.Release)
	if !ok {
		return nil, fmt.Errorf("a release of Helm is a %T", rendered)
	}
	return typed, nil
}

// Package writes the chart as the archive NAME-VERSION.tgz into a folder, and returns its path.
func Package(chart *helmchart.Chart, folder string) (string, error) { return util.Save(chart, folder) }

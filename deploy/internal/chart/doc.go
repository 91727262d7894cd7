// Package chart renders the Helm chart in deploy/chart, and keeps in it copies of the files that
// others own.
//
//	loaded, err := chart.Load("chart")
//	release, err := chart.Render(ctx, loaded, chart.Release{Name: "kubevirt-operator", Namespace: "kubevirt-operator"})
//	fmt.Println(release.Manifest, release.Info.Notes)
//
// A chart is a folder that has to work alone, so that it cannot refer to api/crds, to api/rbac or
// to the manifests for kustomize beside it. `make generate` copies those; tests fail where a copy
// is stale, and where the chart renders other objects than kustomize.
package chart

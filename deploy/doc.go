// Package deploy is what the operator is installed with: manifests for kustomize, a chart for
// Helm, and an image that is built without a container engine. Its Go code writes, builds and tests those;
// nobody imports it. It is a module of its own, outside the workspace, because Helm's dependencies
// would drag those of the operator.
//
// Open chart/values.yaml first, then internal/chart/copies.go for what in the chart is a copy, and
// internal/image/image.go for the image.
package deploy

//go:generate go run ./cmd/chart copies

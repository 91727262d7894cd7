// Package api is the root of the module that holds the vitistack.io API: Go types in v1alpha1, the
// CustomResourceDefinitions made from them in crds, and one manifest of every shape that they admit
// in samples.
//
// It has no code. Deep copies and definitions are generated; run go generate here after a change to
// the types.
package api

//go:generate env GOWORK=off CGO_ENABLED=0 go tool -modfile=../go.tools.mod controller-gen object crd paths=./v1alpha1 output:crd:dir=./crds
//go:generate env GOWORK=off CGO_ENABLED=0 go tool -modfile=../go.tools.mod controller-gen rbac:roleName=kubevirt-operator paths=./rbac/supervisor output:rbac:dir=./rbac/supervisor
//go:generate env GOWORK=off CGO_ENABLED=0 go tool -modfile=../go.tools.mod controller-gen rbac:roleName=kubevirt-operator-remote paths=./rbac/remote output:rbac:dir=./rbac/remote
//go:generate env GOWORK=off CGO_ENABLED=0 go tool -modfile=../go.tools.mod controller-gen rbac:roleName=kubevirt-operator-claims paths=./rbac/claims output:rbac:dir=./rbac/claims
//go:generate env GOWORK=off CGO_ENABLED=0 go tool -modfile=../go.tools.mod controller-gen rbac:roleName=kubevirt-operator-page paths=./rbac/page output:rbac:dir=./rbac/page
//go:generate env GOWORK=off CGO_ENABLED=0 go tool -modfile=../go.tools.mod controller-gen rbac:roleName=kubevirt-operator-moves paths=./rbac/moves output:rbac:dir=./rbac/moves
//go:generate env GOWORK=off CGO_ENABLED=0 go tool -modfile=../go.tools.mod controller-gen rbac:roleName=kubevirt-operator-guest paths=./rbac/guest output:rbac:dir=./rbac/guest
//go:generate env GOWORK=off CGO_ENABLED=0 go tool -modfile=../go.tools.mod controller-gen rbac:roleName=kubevirt-operator-readiness paths=./rbac/readiness output:rbac:dir=./rbac/readiness
//go:generate env GOWORK=off CGO_ENABLED=0 go tool -modfile=../go.tools.mod crd-ref-docs --log-level=ERROR --source-path=./v1alpha1 --config=apidocs.yaml --renderer=markdown --output-path=../deploy/docs/api.md

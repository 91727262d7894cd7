package placement

//go:generate env GOWORK=off go tool -modfile=go.tools.mod buf lint
//go:generate env GOWORK=off go tool -modfile=go.tools.mod buf breaking --against proto/released/placement.v1.0.binpb
//go:generate env GOWORK=off go tool -modfile=go.tools.mod buf generate

package placement

//go:generate env GOWORK=off go tool -modfile=go.tools.mod buf lint
//go:generate env GOWORK=off go tool -modfile=go.tools.mod buf generate

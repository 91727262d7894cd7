// Package integration tests clientmgr against real API servers with etcd, through a proxy that can
// be told to misbehave. It needs the programs that `make tools` builds; a missing one fails the
// tests.
package integration

// Package deployment has nothing but tests: they hold the manifests of deploy/ against real API servers, and the commands of its
// documents against what they promise. The operator itself has no part in them.
package deployment

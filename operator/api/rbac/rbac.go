// Package rbac holds the rights that the operator needs, as manifests: in the supervisor cluster, and in each remote cluster. They are
// the documented rights; tests and demos run the operator with these and no others.
package rbac

import _ "embed"

// Supervisor is a YAML stream of what the operator needs where the Machines are: its namespace and service account, ClusterRole and Role
// with their bindings. The Role is for the configs' namespace, kubevirt-configs.
//
//go:embed supervisor.yaml
var Supervisor []byte

// Remote is a YAML stream of what a KubevirtConfig's kubeconfig needs where the VirtualMachines are: a namespace and service account, and
// a ClusterRole with its binding.
//
//go:embed remote.yaml
var Remote []byte

// Package rbac holds the rights that the operator needs, as manifests: in the supervisor cluster,
// and in each remote cluster. They are generated from the markers in its folders, and they are the
// documented rights: tests and demos run the operator with these and no others, and fail where one
// is missing or not used.
package rbac

import (
	"bytes"
	"embed"
)

//go:embed supervisor/*.yaml remote/*.yaml claims/*.yaml page/*.yaml moves/*.yaml readiness/*.yaml guest/*.yaml
var files embed.FS

// Supervisor is a YAML stream of what the operator needs where the Machines are: its namespace and
// service account, ClusterRole and Roles with their bindings. One Role is for the configs'
// namespace, kubevirt-configs.
var Supervisor = stream("supervisor")

// Remote is a YAML stream of what a KubevirtConfig's kubeconfig needs where the VirtualMachines
// are: a namespace and service account, and a ClusterRole with its binding.
var Remote = stream("remote")

// Claims is a YAML stream of what the operator needs beyond that in the supervisor where it runs
// with the flag --legacy-supervisor-claims: a ClusterRole and its binding.
var Claims = stream("claims")

// Page is a YAML stream of what the operator needs beyond that in the supervisor where it serves the
// Fleet page, with the flag --page-bind-address: a ClusterRole and its binding.
var Page = stream("page")

// Moves is a YAML stream of what a KubevirtConfig's kubeconfig needs beyond [Remote] where Machines are
// moved from or to its cluster: a ClusterRole and its binding.
var Moves = stream("moves")

// Readiness is a YAML stream of what a KubevirtConfig's kubeconfig needs beyond Remote, so that the
// operator can tell whether a Machine can run there: a ClusterRole and its binding.
var Readiness = stream("readiness")

// Guest is a YAML stream of what a KubevirtConfig's kubeconfig needs beyond [Remote] where guests are
// restarted, paused and resumed by an annotation of their Machine: a ClusterRole and its binding.
var Guest = stream("guest")

// stream joins the two files of a folder, that with the namespace first.
func stream(folder string) []byte {
	var all [][]byte
	for _, file := range []string{"access.yaml", "role.yaml"} {
		content, err := files.ReadFile(folder + "/" + file)
		if err != nil {
			panic(err) // impossible: the program was built with it
		}
		all = append(all, content)
	}
	return bytes.Join(all, []byte("\n---\n"))
}

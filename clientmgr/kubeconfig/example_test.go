package kubeconfig_test

import (
	"fmt"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
)

func ExampleParse() {
	target, err := kubeconfig.Parse([]byte(`
contexts:
- {name: c, context: {cluster: c, user: u}}
clusters:
- {name: c, cluster: {server: "https://east.example.com:6443"}}
users:
- {name: u, user: {token: t}}
`), kubeconfig.Options{})
	fmt.Println(target, err)

	_, err = kubeconfig.Parse([]byte(`
contexts:
- {name: c, context: {cluster: c, user: u}}
clusters:
- {name: c, cluster: {server: "https://east.example.com:6443"}}
users:
- {name: u, user: {exec: {command: steal}}}
`), kubeconfig.Options{})
	fmt.Println(err)
	// Output:
	// kubeconfig.Target{server, token} <nil>
	// users[].user.exec: programs are not run
}

package kubeconfig_test

import (
	"fmt"
	"time"

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

// A file that has not changed is not parsed again, and certificates that are over are told.
func ExampleParser() {
	parser := kubeconfig.Parser{Options: kubeconfig.Options{AllowProxy: true}}
	_, err := parser.Parse([]byte("users: [{name: u, user: {Token: t}}]"), time.Now())
	fmt.Println(err)
	// Output: users[].user.token: is spelled otherwise on line 1
}

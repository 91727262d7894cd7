package firstday

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// visited goes into the guest of default/web. What stands for virtctl reads the instance with the
// kubeconfig that it is given: a guest's own console needs a node, and there is none.
func visited(t *testing.T) {
	machine(t, "console", "web").says(t, 2, "virtctl, KubeVirt's client, is not on the PATH")
	kubectl, err := filepath.Abs("../../../bin/kubectl")
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	script := `#!/bin/sh
echo "$@"
while [ "$1" != --kubeconfig ]; do shift; done
ls -l "$2" | cut -c1-10
exec ` + kubectl + ` --kubeconfig "$2" get virtualmachineinstances.kubevirt.io -n default -o name
`
	if err := os.WriteFile(filepath.Join(bin, "virtctl"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", bin+":/usr/bin:/bin")
	machine(t, "console", "web").says(t, 2, "the kubeconfig of cluster cluster-west may not get virtualmachineinstances/console",
		"--remote-kubeconfig takes yours")
	admin := kubeconfigOf(t, west)
	machine(t, "vnc", "web", "--remote-kubeconfig", admin).says(t, 0, "vnc --kubeconfig "+admin+" --namespace default vm-web",
		"virtualmachineinstance.kubevirt.io/vm-web")
	machine(t, "ssh", "root@default/web", "--remote-kubeconfig", admin, "--", "--port", "2222").says(t, 0,
		"--namespace default root@vmi/vm-web --port 2222")
	machine(t, "console", "web", "--remote-kubeconfig", kubeconfigOf(t, east)).says(t, 2, "but the Machine is in cluster-west")
	machine(t, "console", "lost").says(t, 1, "has no place")

	// Where the cluster's administrator has given the operator the right, its kubeconfig will do.
	give(t, west, "subresources.kubevirt.io", []string{"virtualmachineinstances/console"}, "get")
	through := machine(t, "console", "web")
	through.says(t, 0, "console --kubeconfig ", "-rw-------", "virtualmachineinstance.kubevirt.io/vm-web")
	_, rest, _ := strings.Cut(through.out, "--kubeconfig ")
	path, _, _ := strings.Cut(rest, " ")
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the kubeconfig %s stays behind: %v", path, err)
	}
}

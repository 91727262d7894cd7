package fleet

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Status is what can be said of a cluster.
type Status struct {
	Name  string `json:"name"`
	State State  `json:"state"`
	// KubeVirt is "real" or "light"; "" for the supervisor.
	KubeVirt string `json:"kubevirt,omitempty"`
	// Server is the API server's URL, Proxy the one that the operator's kubeconfig has.
	Server string `json:"server"`
	Proxy  string `json:"proxy"`
	// Fault is what the proxy does, as `fleet fault` takes it; in a killed cluster, what it will do
	// when the cluster has been started.
	Fault string `json:"fault"`
	// Kubeconfig is the path of the administrator's kubeconfig.
	Kubeconfig string `json:"kubeconfig"`
	// PIDs are its processes, MemoryMiB what they hold in memory (resident set), in MiB.
	PIDs      []int `json:"pids"`
	MemoryMiB int   `json:"memoryMiB"`
}

// Status returns each cluster's, the supervisor's first.
func (f *Fleet) Status() []Status {
	var all []Status
	for _, c := range f.Clusters() {
		all = append(all, c.Status())
	}
	return all
}

// Status returns what can be said of the cluster. It asks no server.
func (c *Cluster) Status() Status {
	status := Status{
		Name: c.Name, State: c.State(),
		Server: "https://" + c.ControlPlane.Addr(), Proxy: "https://" + c.Proxy.Addr(), Fault: c.Fault().String(),
		Kubeconfig: c.Kubeconfig(), PIDs: c.PIDs(),
	}
	if !c.isSupervisor() {
		status.KubeVirt = c.options.KubeVirt.String()
	}
	for _, pid := range status.PIDs {
		status.MemoryMiB += ResidentMiB(pid)
	}
	return status
}

// ResidentMiB returns the resident set of a process in MiB, or 0 if the process is gone.
func ResidentMiB(pid int) int {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if value, found := strings.CutPrefix(lines.Text(), "VmRSS:"); found {
			kib, _ := strconv.Atoi(strings.TrimSpace(strings.TrimSuffix(value, "kB")))
			return kib >> 10
		}
	}
	return 0
}

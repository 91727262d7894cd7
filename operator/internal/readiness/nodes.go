package readiness

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	schedulingcorev1 "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"
	kubevirtv1 "kubevirt.io/api/core/v1"
)

// KubeVirt's defaults.
const (
	cpuAllocationRatio = 10
	memoryOvercommit   = 100
)

// suitable are the nodes that the launcher may run on, whatever room they have, and why there is
// none.
func (c court) suitable(nodes []Node) (all []Node, why string) {
	filters := []struct {
		why  string
		fits func(Node) bool
	}{
		{
			"no node takes virtual machines (label " + kubevirtv1.NodeSchedulable + ")",
			has(kubevirtv1.NodeSchedulable, "true"),
		},
		{"no node has architecture " + c.needs.Architecture, has(corev1.LabelArchStable, c.needs.Architecture)},
		{"no node has CPU model " + c.needs.CPUModel, hasModel(c.needs.CPUModel)},
		{"no node gives dedicated CPUs (label " + kubevirtv1.CPUManager + ")", c.dedicates},
		{"no node offers machine type " + c.needs.MachineType, hasMachineType(c.needs.MachineType, nodes)},
	}
	for _, label := range sortedKeys(c.needs.Selector) {
		value := c.needs.Selector[label]
		filters = append(filters, struct {
			why  string
			fits func(Node) bool
		}{fmt.Sprintf("no node has label %s=%s", label, value), has(label, value)})
	}
	for _, device := range c.needs.Devices {
		filters = append(filters, struct {
			why  string
			fits func(Node) bool
		}{"no node has device " + device, hasDevice(device)})
	}
	filters = append(filters, struct {
		why  string
		fits func(Node) bool
	}{"no node fits its affinity", c.likes}, struct {
		why  string
		fits func(Node) bool
	}{"it tolerates the taints of no node", c.tolerates})
	all = nodes
	if len(all) == 0 {
		return nil, "no node takes pods"
	}
	for _, filter := range filters {
		var left []Node
		for _, node := range all {
			if filter.fits(node) {
				left = append(left, node)
			}
		}
		if all = left; len(all) == 0 {
			return nil, filter.why
		}
	}
	return all, ""
}

// has finds a label; the value "" is no wish.
func has(label, value string) func(Node) bool {
	return func(node Node) bool { return value == "" || node.Labels[label] == value }
}

func hasModel(model string) func(Node) bool {
	return func(node Node) bool {
		return model == "" || model == hostModel || model == passthrough ||
			node.Labels[kubevirtv1.CPUModelLabel+model] == "true"
	}
}

// hasMachineType looks at the labels that KubeVirt puts on nodes. Older versions put none.
func hasMachineType(machineType string, nodes []Node) func(Node) bool {
	isLabel := func(node Node) bool {
		for label := range node.Labels {
			if strings.HasPrefix(label, kubevirtv1.SupportedMachineTypeLabel) {
				return true
			}
		}
		return false
	}
	labelled := slices.ContainsFunc(nodes, isLabel)
	return func(node Node) bool {
		return machineType == "" || !labelled || node.Labels[kubevirtv1.SupportedMachineTypeLabel+machineType] == "true"
	}
}

// dedicates knows both labels of KubeVirt: older versions put the shorter one on nodes.
func (c court) dedicates(node Node) bool {
	return !c.needs.Dedicated || node.Labels[kubevirtv1.CPUManager] == "true" ||
		node.Labels[kubevirtv1.DeprecatedCPUManager] == "true"
}

func hasDevice(device string) func(Node) bool {
	return func(node Node) bool {
		amount := node.Allocatable[corev1.ResourceName(device)]
		return amount.Sign() > 0
	}
}

// likes asks the scheduler's own code about the affinity to nodes.
func (c court) likes(node Node) bool {
	if c.needs.Affinity == nil || c.needs.Affinity.NodeAffinity == nil {
		return true
	}
	pod := &corev1.Pod{Spec: corev1.PodSpec{Affinity: c.needs.Affinity}}
	matches, err := nodeaffinity.GetRequiredNodeAffinity(pod).Match(
		&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: node.Name, Labels: node.Labels}})
	return matches || err != nil // what cannot be read is for the API server to refuse
}

func (c court) tolerates(node Node) bool {
	_, untolerated := schedulingcorev1.FindMatchingUntoleratedTaint(klog.Background(), node.Taints, c.needs.Tolerations,
		func(taint *corev1.Taint) bool { return taint.Effect != corev1.TaintEffectPreferNoSchedule }, true)
	return !untolerated
}

func (c court) nodes() Check {
	return by(c, CheckNodes, c.facts.Nodes, func(nodes []Node) Check {
		suitable, why := c.suitable(nodes)
		if why != "" {
			return refused(ReasonNoNode, "label or add a node in "+c.facts.Config+
				", or ask for less: os.architecture, CPU_MODEL", "%s", why)
		}
		return fine("", "%d of %d nodes suit it", len(suitable), len(nodes))
	})
}

// launcher is what a launcher requests at least for the guest, and whether that is known.
func (c court) launcher() (Size, *Missing) {
	size := c.needs.Size
	if c.needs.Instancetype != nil {
		if missing := c.facts.Instancetype.missing(c.now); missing != nil {
			return size, missing
		}
		if c.facts.Instancetype.Value == nil {
			return size, &Missing{Reason: ReasonInstancetype, Message: "its instance type gives its size, and is not there"}
		}
		size = *c.facts.Instancetype.Value
	}
	if missing := c.facts.KubeVirt.missing(c.now); missing != nil {
		return size, missing
	}
	size = c.facts.KubeVirt.Value.Requests(size, c.needs.Dedicated)
	if cpu, said := c.needs.Requests[corev1.ResourceCPU]; said {
		size.MilliCPU = cpu.MilliValue()
	}
	if memory, said := c.needs.Requests[corev1.ResourceMemory]; said {
		size.MemoryBytes = memory.Value()
	}
	return size, nil
}

// Requests is what a launcher requests for a guest of a size. Dedicated CPUs are whole ones.
func (k KubeVirt) Requests(guest Size, dedicated bool) Size {
	if !dedicated {
		guest.MilliCPU /= positiveOr(k.CPUAllocationRatio, cpuAllocationRatio)
	}
	overcommit := positiveOr(k.MemoryOvercommit, memoryOvercommit)
	guest.MemoryBytes = int64(float64(guest.MemoryBytes) * 100 / float64(overcommit))
	return guest
}

func positiveOr(value int, otherwise int64) int64 {
	if value > 0 {
		return int64(value)
	}
	return otherwise
}

// sized decides a check by what the launcher requests.
func (c court) sized(name string, decide func(Size) Check) Check {
	size, missing := c.launcher()
	if missing != nil {
		return c.unknown(name, *missing)
	}
	check := decide(size)
	check.Name = name
	return check
}

func (c court) room() Check {
	return by(c, CheckRoom, c.facts.Nodes, func(nodes []Node) Check {
		return c.sized(CheckRoom, func(size Size) Check {
			suitable, why := c.suitable(nodes)
			if why != "" {
				return Check{Verdict: Unknown, Reason: ReasonNoNode, Minor: true, Message: why}
			}
			best := Size{}
			for i, node := range suitable {
				if i == 0 || node.Free.MemoryBytes > best.MemoryBytes {
					best = node.Free
				}
			}
			if len(withRoom(suitable, size)) == 0 {
				return refused(ReasonNoRoom, "free some, or add a node in "+c.facts.Config,
					"it takes %s and %d mCPU on one node; the emptiest suitable one has %s and %d mCPU", mib(size.MemoryBytes),
					size.MilliCPU, mib(best.MemoryBytes), best.MilliCPU)
			}
			return fine("", "it takes %s and %d mCPU; the emptiest suitable node has %s and %d mCPU", mib(size.MemoryBytes),
				size.MilliCPU, mib(best.MemoryBytes), best.MilliCPU)
		})
	})
}

func withRoom(nodes []Node, size Size) []Node {
	var all []Node
	for _, node := range nodes {
		if node.Free.MilliCPU >= size.MilliCPU && node.Free.MemoryBytes >= size.MemoryBytes {
			all = append(all, node)
		}
	}
	return all
}

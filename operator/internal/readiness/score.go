package readiness

// The parts of a score. They add up to 100. A part that is not known gives nothing, so that of two
// clusters the one of which more is known is taken.
const (
	// roomPart is for what stays free on the suitable nodes once the guest is there: of memory or of
	// CPU, whichever is scarcer, as a share of what the nodes have.
	roomPart = 60
	// nodesPart is for nodes that could take the guest, up to enoughNodes: it has somewhere to go when
	// a node fails.
	nodesPart = 20
	// machinesPart is for a cluster with few Machines: half of it is left with manyMachines.
	machinesPart = 20

	enoughNodes  = 4
	manyMachines = 50
)

// score is 0 to 100. It depends on the facts of this one cluster alone, so that it stays the same
// whatever other clusters there are.
func (c court) score() int {
	score := 0.0
	if c.facts.Machines.missing(c.now) == nil {
		score += machinesPart * manyMachines / (manyMachines + float64(max(0, c.facts.Machines.Value)))
	}
	size, missing := c.launcher()
	if missing == nil && c.facts.Nodes.missing(c.now) == nil {
		suitable, _ := c.suitable(c.facts.Nodes.Value)
		roomy := withRoom(suitable, size)
		score += nodesPart * float64(min(len(roomy), enoughNodes)) / enoughNodes
		if len(roomy) > 0 {
			score += roomPart * share(suitable, size)
		}
	}
	return int(score)
}

// share is what stays free of nodes once size is taken, between 0 and 1.
func share(nodes []Node, size Size) float64 {
	var cpu, memory, freeCPU, freeMemory float64
	for _, node := range nodes {
		cpu += float64(node.Allocatable.Cpu().MilliValue())
		memory += float64(node.Allocatable.Memory().Value())
		freeCPU += float64(max(0, node.Free.MilliCPU))
		freeMemory += float64(max(0, node.Free.MemoryBytes))
	}
	of := func(free, takes, all float64) float64 {
		if all <= 0 {
			return 0
		}
		return min(1, max(0, (free-takes)/all))
	}
	return min(of(freeCPU, float64(size.MilliCPU), cpu), of(freeMemory, float64(size.MemoryBytes), memory))
}

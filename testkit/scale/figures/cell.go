package figures

import (
	"math"
	"slices"
	"time"
)

// Kind says what the remote clusters of a cell are.
type Kind string

// The kinds of clusters.
const (
	// Real are control planes with etcd and kube-apiserver, where a small agent plays KubeVirt.
	Real Kind = "real"
	// StandIn are API servers of package standin.
	StandIn Kind = "stand-in"
)

// Cell is what was measured at one size. Times are milliseconds.
type Cell struct {
	Clusters int  `json:"clusters"`
	Machines int  `json:"machines"`
	Kind     Kind `json:"kind"`

	// HeapMiB is what was alive on the operator's heap after a collection at rest, ResidentMiB what its
	// process held of the machine.
	HeapMiB     float64 `json:"heapMiB"`
	ResidentMiB float64 `json:"residentMiB"`
	Goroutines  int     `json:"goroutines"`
	// CPU is the share of one core that the operator took at rest, in percent.
	CPU float64 `json:"cpuPercent"`
	// FillPerSecond is how many Machines a second came to run when they were created at once.
	FillPerSecond float64 `json:"fillPerSecond"`

	// Create is from the creation of a Machine until its VirtualMachine exists, Status from a change of
	// a guest until its Machine shows it; one at a time.
	Create Quantiles `json:"create"`
	Status Quantiles `json:"status"`
	// SilentClusters is how many clusters answered nothing meanwhile; the Machines of the others were
	// created and changed. 0: it was not measured.
	SilentClusters int       `json:"silentClusters"`
	SilentCreate   Quantiles `json:"silentCreate"`
	SilentStatus   Quantiles `json:"silentStatus"`

	// RestartFirst is from the start of the operator's process until the first VirtualMachine exists of
	// the Machines that are created from that moment on, four a second. RestartAll is until all guests
	// that changed while there was no operator are shown; RestartChanged is how many these are.
	RestartFirst   float64 `json:"restartFirst"`
	RestartAll     float64 `json:"restartAll"`
	RestartChanged int     `json:"restartChanged"`
}

// Quantiles are of times, in milliseconds. The zero value is of none.
type Quantiles struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	// Of is the number of times.
	Of int `json:"of"`
}

// NewQuantiles takes those of times, in any order.
func NewQuantiles(times []time.Duration) Quantiles {
	if len(times) == 0 {
		return Quantiles{}
	}
	sorted := slices.Sorted(slices.Values(times))
	at := func(share float64) float64 {
		return Millis(sorted[int(math.Ceil(share*float64(len(sorted))))-1])
	}
	return Quantiles{P50: at(0.5), P99: at(0.99), Of: len(sorted)}
}

// Millis is a time in milliseconds.
func Millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

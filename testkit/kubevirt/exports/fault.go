package exports

import (
	"sync"
	"time"
)

// Fault is how a cluster serves its disks to others. The zero Fault serves them well.
type Fault struct {
	// Namespace and Claim are of the disk that is meant. Default: all.
	Namespace, Claim string
	// After is how many downloads of a disk are served well before, and Times how many the fault is
	// in. Default: from the first on, and until another fault is set.
	After, Times int

	// Status is the status that is answered in place of the disk: 401 rejects the token. Default: the
	// disk is served.
	Status int
	// BytesPerSecond slows a download down. Default: as fast as it goes.
	BytesPerSecond int64
	// BreakAfter lets the connection break after so many bytes of the disk, EndAfter lets the disk end
	// there as if it were whole. Of a compressed disk it is compressed bytes that count. Default:
	// neither.
	BreakAfter, EndAfter int64
	// Corrupt changes a byte in each 4096.
	Corrupt bool
}

// Faults hold the Fault of a cluster. Its methods are safe for concurrent use.
type Faults struct {
	mu    sync.Mutex
	fault Fault
	seen  map[disk]int // downloads since the fault was set
}

// disk is what is downloaded.
type disk struct{ namespace, claim string }

// NewFaults returns faults of which there is none.
func NewFaults() *Faults { return &Faults{seen: map[disk]int{}} }

// Set takes the place of the fault that was there, for the requests that come from now on.
func (f *Faults) Set(fault Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault, f.seen = fault, map[disk]int{}
}

// of returns the fault that a request for a disk meets. A download counts, a question about it does
// not.
func (f *Faults) of(d disk, download bool) Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := f.seen[d]
	if download {
		f.seen[d]++
	}
	if !f.fault.means(d) || seen < f.fault.After || f.fault.Times > 0 && seen >= f.fault.After+f.fault.Times {
		return Fault{}
	}
	return f.fault
}

func (f Fault) means(d disk) bool {
	return (f.Namespace == "" || f.Namespace == d.namespace) && (f.Claim == "" || f.Claim == d.claim)
}

// pause is how long n bytes take at the fault's speed.
func (f Fault) pause(n int) time.Duration {
	if f.BytesPerSecond <= 0 {
		return 0
	}
	return time.Duration(n) * time.Second / time.Duration(f.BytesPerSecond)
}

package soak

// Series is a size of the operator's process.
type Series string

// The sizes, in the order in which they are told.
const (
	// Heap is what the last collection of garbage left, in MiB.
	Heap Series = "heap"
	// Goroutines are all that there are.
	Goroutines Series = "goroutines"
	// Descriptors are open files, of any kind.
	Descriptors Series = "descriptors"
	// Sockets are those of them that are sockets.
	Sockets Series = "sockets"
	// Resident is the memory that the kernel has given to the process, in MiB.
	Resident Series = "resident"
)

// AllSeries are the sizes in their order.
var AllSeries = []Series{Heap, Goroutines, Descriptors, Sockets, Resident}

// Sample is the operator's process at one moment.
type Sample struct {
	// At is when it was taken, in seconds since the churn began.
	At float64 `json:"at"`
	// Calm says that nothing was broken, nor a moment before.
	Calm bool `json:"calm"`
	// Sizes of the process.
	Sizes map[Series]float64 `json:"sizes"`
}

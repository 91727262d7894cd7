// Package growth has no code: its tests hold that the operator's work grows with its Machines and
// with its clusters, and with no product of the two. They count, at small sizes, against stand-ins
// of clusters (testkit/standin); `make scale` measures what the same costs at large ones.
package growth

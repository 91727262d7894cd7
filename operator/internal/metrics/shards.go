package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
)

var (
	shardsDesc = prometheus.NewDesc("operator_shards",
		"Shards into which the clusters are shared out (--shards), by the name of the lease of the first.",
		[]string{labelLease}, nil)
	heldDesc = prometheus.NewDesc("operator_shard_held",
		"1 for the shard whose clusters this process looks after; absent where it stands by.",
		[]string{labelLease, "shard"}, nil)
)

const labelLease = "lease"

// Shards tells how many shards there are, and which one this process holds. It is safe for concurrent
// use.
type Shards struct {
	lease string
	count int
	held  func() (shard int, holds bool)
}

var _ prometheus.Collector = (*Shards)(nil)

// NewShards tells of count shards, the first of which is held by the lease.
func NewShards(lease string, count int, held func() (shard int, holds bool)) *Shards {
	return &Shards{lease: lease, count: count, held: held}
}

// Describe implements prometheus.Collector.
func (s *Shards) Describe(to chan<- *prometheus.Desc) {
	to <- shardsDesc
	to <- heldDesc
}

// Collect implements prometheus.Collector. Every process tells how many shards there are, also one
// that holds none: so that a shard without a holder is missed.
func (s *Shards) Collect(to chan<- prometheus.Metric) {
	to <- prometheus.MustNewConstMetric(shardsDesc, prometheus.GaugeValue, float64(s.count), s.lease)
	if shard, holds := s.held(); holds {
		to <- prometheus.MustNewConstMetric(heldDesc, prometheus.GaugeValue, 1, s.lease, strconv.Itoa(shard))
	}
}

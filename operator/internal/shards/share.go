package shards

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
)

// Share is what one process looks after: the clusters of one of several shards, and the Machines in
// them. A nil Share is everything. It is safe for concurrent use.
type Share struct {
	count int
	held  func() (shard int, holds bool)
}

// NewShare is the share of whoever holds one of count shards; held says which, as Lock.Held does.
func NewShare(count int, held func() (shard int, holds bool)) *Share {
	return &Share{count: count, held: held}
}

// Serves reports whether a KubevirtConfig's cluster is of this share. Before a shard is held none is.
func (s *Share) Serves(config string) bool {
	return s == nil || s.holds(Of(config, s.count))
}

// Owns reports whether a Machine is of this share; nil is one that is gone.
func (s *Share) Owns(machine *vitistackv1alpha1.Machine) bool {
	if s == nil {
		return true
	}
	config := clusterOf(machine)
	if config == "" {
		return s.IsFirst()
	}
	return s.Serves(config)
}

// IsFirst reports whether this is the share with what belongs to no cluster.
func (s *Share) IsFirst() bool { return s == nil || s.holds(0) }

func (s *Share) holds(shard int) bool {
	held, holds := s.held()
	return holds && held == shard
}

// Of is the shard of a KubevirtConfig, of count ones.
func Of(config string, count int) int {
	// A weaker hash gives names that differ in a letter the same low bits.
	hash := sha256.Sum256([]byte(config))
	return int(binary.BigEndian.Uint64(hash[:]) % uint64(count)) //nolint:gosec // a number of processes
}

// clusterOf is the KubevirtConfig by whose shard a Machine is looked after: the cluster that it is in,
// from the beginning of a move to its end the one that it comes from; else the one that its status
// remembers, or that it asks for. "" is none.
func clusterOf(machine *vitistackv1alpha1.Machine) string {
	if machine == nil {
		return ""
	}
	if record, moving, err := vitistackv1alpha1.MoveRecordOf(machine); moving && err == nil {
		return record.From.Config
	}
	if ledger, err := vitistackv1alpha1.LedgerOf(machine); err == nil {
		return ledger.Config
	}
	if copied := machine.Status.KubevirtConfigRef; copied != nil {
		return copied.Name
	}
	wanted := custody.References(machine)
	return cmp.Or(wanted[0], wanted[1])
}

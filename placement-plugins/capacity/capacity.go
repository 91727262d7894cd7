// Package capacity is the strategy of room: a Machine goes to the cluster with the most free memory
// among the clusters that have room for it. No Machine goes to a cluster whose room is not known:
// unknown is neither empty nor full.
//
// The package is pure: no I/O, no clock, no log; the host asks the clusters.
//
// What is free is negative in a cluster in which more is requested than there is. What a Machine
// wants and what is reserved are never negative.
package capacity

import (
	"cmp"
	"context"
	"fmt"

	"github.com/vitistack/kubevirt-multicluster/placement"

	"github.com/vitistack/kubevirt-multicluster/placement-plugins/internal/choice"
)

// Config is the strategy's configuration. The zero value keeps nothing free.
type Config struct {
	// ReserveMilliCPU and ReserveMemoryBytes must stay free in a cluster after the Machine has
	// come.
	ReserveMilliCPU    int64 `json:"reserveMilliCPU,omitempty"`
	ReserveMemoryBytes int64 `json:"reserveMemoryBytes,omitempty"`
}

// Strategy chooses the cluster with the most free memory; where several have the same, the one with
// the most free CPU. It has no opinion on a Machine whose size is not known, and holds
// (choice.ReasonNoCluster) where no cluster has room.
type Strategy struct{ config Config }

var _ placement.ConfigValidator = &Strategy{}

// Name is "capacity".
func (*Strategy) Name() string { return "capacity" }

// Needs asks for the capacity of each cluster, and for no labels.
func (*Strategy) Needs() placement.Needs { return placement.Needs{Capacity: true, NoLabels: true} }

// ConfigSchema implements placement.Configurer.
func (*Strategy) ConfigSchema() []byte {
	return []byte(`{
  "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "additionalProperties": false,
  "properties": {
    "reserveMilliCPU": {
      "type": "integer", "minimum": 0, "description": "thousandths of a CPU that must stay free in a cluster"
    },
    "reserveMemoryBytes": {"type": "integer", "minimum": 0, "description": "memory that must stay free in a cluster"}
  }
}`)
}

// Configure implements placement.Configurer.
func (s *Strategy) Configure(document []byte) error {
	var config Config
	if err := choice.Read(document, &config); err != nil {
		return err
	}
	if config.ReserveMilliCPU < 0 {
		return placement.Violations{{Field: "reserveMilliCPU", Message: "is negative"}}
	}
	if config.ReserveMemoryBytes < 0 {
		return placement.Violations{{Field: "reserveMemoryBytes", Message: "is negative"}}
	}
	s.config = config
	return nil
}

// ValidateConfig implements placement.ConfigValidator.
func (*Strategy) ValidateConfig(document []byte) error { return new(Strategy).Configure(document) }

// Place implements placement.Strategy. It does no I/O.
func (s *Strategy) Place(_ context.Context, req placement.Request) (placement.Decision, error) {
	wants := req.Machine.Requests
	switch {
	case len(req.Candidates) == 0:
		return placement.Decision{Reason: "there are no clusters"}, nil
	case wants.MilliCPU == nil || wants.MemoryBytes == nil:
		return placement.Decision{Reason: "the machine's size is not known"}, nil
	}
	usable, excluded := choice.Among(req, func(c placement.Candidate) string {
		return s.whyExcluded(wants, c.Capacity.Free)
	})
	if len(usable) == 0 {
		return placement.Decision{}, excluded.Hold(req)
	}
	best := choice.Best(req, usable, func(a, b placement.Candidate) int {
		return cmp.Or(
			cmp.Compare(*b.Capacity.Free.MemoryBytes, *a.Capacity.Free.MemoryBytes),
			cmp.Compare(*b.Capacity.Free.MilliCPU, *a.Capacity.Free.MilliCPU),
		)
	})
	free := best.Capacity.Free
	reason := fmt.Sprintf("the most room: %d MiB and %d mCPU are free", *free.MemoryBytes>>20, *free.MilliCPU)
	return placement.Decision{Config: best.Name, Reason: reason}, nil
}

// whyExcluded returns why a Machine cannot go to a cluster, or "" if it can.
func (s *Strategy) whyExcluded(wants, free placement.Resources) string {
	switch {
	case free.MilliCPU == nil || free.MemoryBytes == nil:
		return "with unknown capacity"
	case !fits(*wants.MemoryBytes, *free.MemoryBytes, s.config.ReserveMemoryBytes):
		return "without enough memory"
	case !fits(*wants.MilliCPU, *free.MilliCPU, s.config.ReserveMilliCPU):
		return "without enough CPU"
	}
	return ""
}

// fits reports whether an amount is free beside the reserve. It subtracts only where that cannot
// wrap: reserve is not negative, and free is no smaller.
func fits(wants, free, reserve int64) bool { return free >= reserve && free-reserve >= wants }

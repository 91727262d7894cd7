// Package spread is the strategy of even load: a Machine goes to the cluster with the fewest
// Machines. Where KubevirtConfigs carry a label that says where they are, such as a zone, the zone
// with the fewest Machines comes first.
//
// The package is pure: no I/O, no clock, no log.
package spread

import (
	"context"
	"fmt"
	"math"

	"github.com/vitistack/kubevirt-multicluster/placement"

	"github.com/vitistack/kubevirt-multicluster/placement-plugins/internal/choice"
)

// Config is the strategy's configuration. The zero value spreads over clusters alone.
type Config struct {
	// LabelKey is the label of KubevirtConfigs whose values are the domains to spread over. No
	// Machine goes to a cluster without that label. "" spreads over clusters and knows no domains.
	LabelKey string `json:"labelKey,omitempty"`
	// MaxSkew is how many Machines more than the domain with the fewest a domain may have, counting
	// the new Machine. 0 means 1.
	MaxSkew int64 `json:"maxSkew,omitempty"`
}

// Strategy chooses the cluster with the fewest Machines, within the domains that Config.MaxSkew
// allows. It holds (choice.ReasonNoCluster) where no cluster can be chosen, and has no opinion
// where there is none.
type Strategy struct{ config Config }

var _ placement.ConfigValidator = &Strategy{}

// Name is "spread".
func (*Strategy) Name() string { return "spread" }

// Needs asks for the number of Machines in each cluster.
func (*Strategy) Needs() placement.Needs { return placement.Needs{Machines: true} }

// ConfigSchema implements placement.Configurer.
func (*Strategy) ConfigSchema() []byte {
	return []byte(`{
  "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "additionalProperties": false,
  "properties": {
    "labelKey": {
      "type": "string", "description": "label of KubevirtConfigs whose values are the domains to spread over"
    },
    "maxSkew": {
      "type": "integer", "minimum": 1,
      "description": "how many Machines a domain may have more than the one with the fewest"
    }
  },
  "dependentRequired": {"maxSkew": ["labelKey"]}
}`)
}

// Configure implements placement.Configurer.
func (s *Strategy) Configure(document []byte) error {
	var config Config
	if err := choice.Read(document, &config); err != nil {
		return err
	}
	if config.MaxSkew < 0 {
		return placement.Violations{{Field: "maxSkew", Message: "is negative"}}
	}
	if config.MaxSkew > 0 && config.LabelKey == "" {
		return placement.Violations{{Field: "maxSkew", Message: "has no effect without labelKey"}}
	}
	s.config = config
	return nil
}

// ValidateConfig implements placement.ConfigValidator.
func (*Strategy) ValidateConfig(document []byte) error { return new(Strategy).Configure(document) }

// Place implements placement.Strategy. It does no I/O.
func (s *Strategy) Place(_ context.Context, req placement.Request) (placement.Decision, error) {
	if len(req.Candidates) == 0 {
		return placement.Decision{Reason: "there are no clusters"}, nil
	}
	usable, excluded := choice.Among(req, s.whyExcluded)
	if len(usable) == 0 {
		return placement.Decision{}, excluded.Hold(req)
	}
	allowed := usable
	if s.config.LabelKey != "" {
		allowed = s.withinSkew(usable, s.machines(req.Candidates))
	}
	best := choice.Best(req, allowed, choice.Fewest)
	reason := fmt.Sprintf("the fewest machines: %d", *best.Capacity.Machines)
	if s.config.LabelKey != "" {
		reason += fmt.Sprintf(", %s %s", s.config.LabelKey, best.Labels[s.config.LabelKey])
	}
	return placement.Decision{Config: best.Name, Reason: reason}, nil
}

// whyExcluded returns why a Machine cannot go to this cluster, or "" if it can.
func (s *Strategy) whyExcluded(c placement.Candidate) string {
	switch {
	case c.Capacity.Machines == nil:
		return "with an unknown number of machines"
	case s.config.LabelKey != "" && c.Labels[s.config.LabelKey] == "":
		return "without label " + s.config.LabelKey
	}
	return ""
}

// machines counts the Machines of each domain. Those of clusters that cannot be chosen now count as
// well: an unreachable cluster holds its Machines, and its domain is as full as before.
func (s *Strategy) machines(all []placement.Candidate) map[string]int64 {
	machines := map[string]int64{}
	for _, c := range all {
		if c.Capacity.Machines != nil {
			machines[c.Labels[s.config.LabelKey]] += *c.Capacity.Machines
		}
	}
	return machines
}

// withinSkew returns the candidates in domains that stay within the skew with one more Machine. It
// compares domains that have a candidate alone: one that is silent as a whole holds up no Machine.
// The candidates' domain with the fewest Machines is always among them.
func (s *Strategy) withinSkew(candidates []placement.Candidate, machines map[string]int64) []placement.Candidate {
	fewest := int64(math.MaxInt64)
	for _, c := range candidates {
		fewest = min(fewest, machines[c.Labels[s.config.LabelKey]])
	}
	var allowed []placement.Candidate
	for _, c := range candidates {
		if machines[c.Labels[s.config.LabelKey]]+1-fewest <= max(1, s.config.MaxSkew) {
			allowed = append(allowed, c)
		}
	}
	return allowed
}

// Package fit is the strategy of certainty: a Machine goes to the cluster that is ready for it and
// has the most room, by all that the host can find out: storage, networks, nodes, quotas, rights,
// and what the API server itself says.
//
// A cluster of which something is not known is not chosen, unless the configuration says so: who
// asks for this strategy wants to know before. Where nobody cares, spread does with less. The
// package is pure: no I/O, no clock, no log.
package fit

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/vitistack/kubevirt-multicluster/placement"

	"github.com/vitistack/kubevirt-multicluster/placement-plugins/internal/choice"
)

// The values of Config.Unknown.
const (
	// UnknownHold leaves out clusters of which something is not known.
	UnknownHold = "hold"
	// UnknownTake takes one of them where no cluster is known to be ready.
	UnknownTake = "take"
)

// Config is the strategy's configuration. The zero value holds.
type Config struct {
	// Unknown says what becomes of clusters of which something is not known: hold or take. "" is
	// hold.
	Unknown string `json:"unknown,omitempty"`
	// MinScore is the least score of a cluster that is chosen, 0 to 100.
	MinScore int32 `json:"minScore,omitempty"`
}

// Strategy chooses the cluster with the highest score among those that are ready; of equal ones the
// first by name. It holds (choice.ReasonNoCluster) where none is ready, and has no opinion where
// there is none.
type Strategy struct{ config Config }

var _ placement.ConfigValidator = &Strategy{}

// Name is "fit".
func (*Strategy) Name() string { return "fit" }

// Needs asks for the readiness of each cluster, and for no labels.
func (*Strategy) Needs() placement.Needs { return placement.Needs{Ready: true, NoLabels: true} }

// ConfigSchema implements placement.Configurer.
func (*Strategy) ConfigSchema() []byte {
	return []byte(`{
  "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "additionalProperties": false,
  "properties": {
    "unknown": {
      "enum": ["hold", "take"],
      "description": "whether a cluster of which something is not known is taken where none is known to be ready"
    },
    "minScore": {"type": "integer", "minimum": 0, "maximum": 100, "description": "the least score of a cluster"}
  }
}`)
}

// Configure implements placement.Configurer.
func (s *Strategy) Configure(document []byte) error {
	var config Config
	if err := choice.Read(document, &config); err != nil {
		return err
	}
	if !slices.Contains([]string{"", UnknownHold, UnknownTake}, config.Unknown) {
		return placement.Violations{{Field: "unknown", Message: "is neither hold nor take"}}
	}
	if config.MinScore < 0 || config.MinScore > 100 {
		return placement.Violations{{Field: "minScore", Message: "is not between 0 and 100"}}
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
	best := slices.MinFunc(usable, func(a, b placement.Candidate) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(b.Ready.Score, a.Ready.Score),
			strings.Compare(a.Name, b.Name))
	})
	if rank(best) > 0 {
		return placement.Decision{Config: best.Name,
			Reason: fmt.Sprintf("no cluster is known to be ready; here it is not known: %s", best.Ready.Reason)}, nil
	}
	return placement.Decision{Config: best.Name, Reason: fmt.Sprintf("ready, score %d", best.Ready.Score)}, nil
}

// rank puts clusters that are ready before those of which something is not known.
func rank(c placement.Candidate) int {
	if c.Ready.Verdict == placement.ReadyYes {
		return 0
	}
	return 1
}

// whyExcluded returns why a Machine cannot go to a cluster, or "" if it can.
func (s *Strategy) whyExcluded(c placement.Candidate) string {
	why := cmp.Or(c.Ready.Reason, "no reason given")
	switch c.Ready.Verdict {
	case placement.ReadyYes:
	case placement.ReadyNo:
		return "not ready (" + why + ")"
	case placement.ReadyUnknown:
		if s.config.Unknown != UnknownTake {
			return "not known to be ready (" + why + ")"
		}
	default:
		return "with unknown readiness"
	}
	if c.Ready.Score < s.config.MinScore {
		return fmt.Sprintf("with a score below %d", s.config.MinScore)
	}
	return ""
}

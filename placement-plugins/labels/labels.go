// Package labels is the strategy of wishes that name no cluster: a Machine goes to a cluster whose
// KubevirtConfig has the labels that the Machine asks for. It asks with a selector in an
// annotation, or with labels of its own that the KubevirtConfig must have too.
//
// The package is pure: no I/O, no clock, no log.
package labels

import (
	"context"
	"fmt"
	"strings"

	"github.com/vitistack/kubevirt-multicluster/placement"

	"github.com/vitistack/kubevirt-multicluster/placement-plugins/internal/choice"
)

// SelectorAnnotation is the Machine's annotation with a selector of KubevirtConfigs by label; see
// ParseSelector.
const SelectorAnnotation = "placement.vitistack.io/cluster-selector"

// The reasons of this strategy's refusals.
const (
	ReasonSelectorInvalid   = "SelectorInvalid"   // the annotation is no selector
	ReasonNoMatchingCluster = "NoMatchingCluster" // no KubevirtConfig has the labels
)

// Config is the strategy's configuration. The zero value reads the annotation alone.
type Config struct {
	// MatchKeys are labels that a KubevirtConfig must have with the same value as the Machine,
	// where the Machine has them.
	MatchKeys []string `json:"matchKeys,omitempty"`
}

// Strategy chooses the cluster with the fewest Machines among those with the right labels. It has
// no opinion on a Machine that asks for nothing. It refuses (ReasonSelectorInvalid,
// ReasonNoMatchingCluster) where a person must act, and holds (choice.ReasonNoCluster) while all
// clusters that match are unreachable.
type Strategy struct{ config Config }

var _ placement.ConfigValidator = &Strategy{}

// Name is "labels".
func (*Strategy) Name() string { return "labels" }

// Needs asks for the number of Machines in each cluster.
func (*Strategy) Needs() placement.Needs { return placement.Needs{Machines: true} }

// ConfigSchema implements placement.Configurer.
func (*Strategy) ConfigSchema() []byte {
	return []byte(`{
  "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "additionalProperties": false,
  "properties": {
    "matchKeys": {
      "type": "array", "items": {"type": "string", "minLength": 1}, "uniqueItems": true,
      "description": "labels that a KubevirtConfig must have with the Machine's value, where the Machine has them"
    }
  }
}`)
}

// Configure implements placement.Configurer.
func (s *Strategy) Configure(document []byte) error {
	var config Config
	if err := choice.Read(document, &config); err != nil {
		return err
	}
	for i, key := range config.MatchKeys {
		if problems := keyProblems(key); len(problems) > 0 {
			return placement.Violations{{Field: fmt.Sprintf("matchKeys[%d]", i), Message: strings.Join(problems, "; ")}}
		}
	}
	s.config = config
	return nil
}

// ValidateConfig implements placement.ConfigValidator.
func (*Strategy) ValidateConfig(document []byte) error { return new(Strategy).Configure(document) }

// Place implements placement.Strategy. It does no I/O.
func (s *Strategy) Place(_ context.Context, req placement.Request) (placement.Decision, error) {
	wish, err := s.wish(req.Machine)
	if err != nil {
		return placement.Decision{}, placement.Refusal{
			Reason:  ReasonSelectorInvalid,
			Message: fmt.Sprintf("annotation %s of machine %s: %v", SelectorAnnotation, req.Machine, err),
		}
	}
	if len(wish) == 0 {
		return placement.Decision{Reason: "the machine asks for no labels"}, nil
	}
	matching := req
	matching.Candidates = nil
	for _, c := range req.Candidates {
		if wish.Matches(c.Labels) {
			matching.Candidates = append(matching.Candidates, c)
		}
	}
	if len(matching.Candidates) == 0 {
		return placement.Decision{}, placement.Refusal{
			Reason: ReasonNoMatchingCluster,
			Message: fmt.Sprintf("none of %d KubevirtConfigs has the labels that machine %s asks for: %s",
				len(req.Candidates), req.Machine, wish),
		}
	}
	usable, excluded := choice.Among(matching, choice.None)
	if len(usable) == 0 {
		return placement.Decision{}, excluded.Hold(matching)
	}
	best := choice.Best(req, usable, choice.Fewest)
	return placement.Decision{Config: best.Name, Reason: fmt.Sprintf("its labels are %s", wish)}, nil
}

// wish returns all that the Machine asks for: its own selector, and the labels of Config.MatchKeys.
func (s *Strategy) wish(m placement.Machine) (Selector, error) {
	wish, err := ParseSelector(m.Annotations[SelectorAnnotation])
	if err != nil {
		return nil, err
	}
	for _, key := range s.config.MatchKeys {
		if value := m.Labels[key]; value != "" {
			wish = append(wish, Requirement{Key: key, Operator: Equals, Value: value})
		}
	}
	return wish, nil
}

// Package choice is what strategies that choose among several clusters have in common. It says
// which clusters can be chosen, which of them is the best, and why the others cannot be chosen.
//
// The package is pure: no I/O, no clock, no log.
package choice

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"slices"
	"strings"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

// ReasonNoCluster is the reason of a hold: there are clusters, but none can be chosen now.
const ReasonNoCluster = "NoClusterFits"

// Exclusion returns in a few words why a Machine cannot go to a cluster, or "" if it can.
type Exclusion func(c placement.Candidate) (why string)

// None excludes no cluster.
func None(placement.Candidate) (why string) { return "" }

// Among returns the candidates that can be chosen, and counts the others by the reason why they
// cannot. An unreachable cluster is counted as that, and whyExcluded is not asked about it.
func Among(req placement.Request, whyExcluded Exclusion) (usable []placement.Candidate, excluded Excluded) {
	excluded = Excluded{}
	for _, c := range req.Candidates {
		why := "unreachable"
		if c.Reachable {
			why = whyExcluded(c)
		}
		if why == "" {
			usable = append(usable, c)
			continue
		}
		excluded[why]++
	}
	return usable, excluded
}

// Excluded counts clusters by the reason why they cannot be chosen.
type Excluded map[string]int

// String lists the reasons, sorted: "1 full, 2 unreachable".
func (e Excluded) String() string {
	parts := make([]string, 0, len(e))
	for _, why := range slices.Sorted(maps.Keys(e)) {
		parts = append(parts, fmt.Sprintf("%d %s", e[why], why))
	}
	return strings.Join(parts, ", ")
}

// Hold says that no cluster can be chosen now, and why each cannot.
func (e Excluded) Hold(req placement.Request) placement.Hold {
	return placement.Hold{
		Reason:  ReasonNoCluster,
		Message: fmt.Sprintf("none of %d clusters fits machine %s: %s", len(req.Candidates), req.Machine, e),
	}
}

// Best returns the candidate that comes first by the order. Where several come first the Machine's
// UID decides among them. Machines are then spread evenly, and one Machine always gets the same
// cluster. There must be at least one candidate.
func Best(
	req placement.Request, candidates []placement.Candidate, order func(a, b placement.Candidate) int,
) placement.Candidate {
	return slices.MinFunc(candidates, func(a, b placement.Candidate) int {
		if by := order(a, b); by != 0 {
			return by
		}
		weightA, weightB := weight(req.Machine, a), weight(req.Machine, b)
		if weightA != weightB {
			if weightA < weightB {
				return -1
			}
			return 1
		}
		return strings.Compare(a.Name, b.Name)
	})
}

func weight(m placement.Machine, c placement.Candidate) uint64 {
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(m.UID + "/" + c.Name))
	sum := hash.Sum64() // its high bits hardly depend on the last bytes: mix them
	sum ^= sum >> 33
	sum *= 0xff51afd7ed558ccd
	return sum ^ sum>>33
}

// Fewest is an order for [Best]: fewer Machines come first, and an unknown number comes last.
func Fewest(a, b placement.Candidate) int {
	countA, countB := a.Capacity.Machines, b.Capacity.Machines
	switch {
	case countA == nil && countB == nil:
		return 0
	case countA == nil:
		return 1
	case countB == nil:
		return -1
	}
	return int(max(-1, min(1, *countA-*countB)))
}

// Read reads a strategy's configuration from JSON. No document leaves the configuration as it is. A
// field that the configuration does not have is a violation.
func Read[T any](document []byte, into *T) error {
	if len(document) == 0 {
		return nil
	}
	decoder := json.NewDecoder(bytes.NewReader(document))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return placement.Violations{{Field: wrong.Field, Message: fmt.Sprintf("is a %s, want %s", wrong.Value, wrong.Type)}}
	}
	if err != nil {
		return placement.Violations{{Message: strings.TrimPrefix(err.Error(), "json: ")}}
	}
	return nil
}

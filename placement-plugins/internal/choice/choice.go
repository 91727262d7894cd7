// Package choice is what strategies that choose among several clusters have in common: who may be chosen, who is the best, and
// how to say why the others are not.
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

// Field is a candidate that may be chosen, or the reason in a few words why it may not.
type Field func(c placement.Candidate) (leftOut string)

// Among returns the candidates that may be chosen, and for the others how many there are of each reason. What is unreachable is
// left out first, whatever else is wrong with it.
func Among(req placement.Request, field Field) (usable []placement.Candidate, out LeftOut) {
	out = LeftOut{}
	for _, c := range req.Candidates {
		reason := "unreachable"
		if c.Reachable {
			reason = field(c)
		}
		if reason == "" {
			usable = append(usable, c)
			continue
		}
		out[reason]++
	}
	return usable, out
}

// LeftOut counts clusters by the reason why they cannot be chosen.
type LeftOut map[string]int

// String lists the reasons, sorted: "1 full, 2 unreachable".
func (l LeftOut) String() string {
	parts := make([]string, 0, len(l))
	for _, reason := range slices.Sorted(maps.Keys(l)) {
		parts = append(parts, fmt.Sprintf("%d %s", l[reason], reason))
	}
	return strings.Join(parts, ", ")
}

// Hold says that no cluster can be chosen now.
func (l LeftOut) Hold(req placement.Request) placement.Hold {
	return placement.Hold{
		Reason:  ReasonNoCluster,
		Message: fmt.Sprintf("none of %d clusters fits machine %s: %s", len(req.Candidates), req.Machine, l),
	}
}

// Best is the first by the order; where several are, the Machine's UID decides, so that Machines spread evenly and the same
// one always gets the same cluster. There must be a candidate.
func Best(req placement.Request, candidates []placement.Candidate, order func(a, b placement.Candidate) int) placement.Candidate {
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

// Fewest orders by the number of Machines; an unknown number comes last.
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

// Read reads a strategy's configuration; nil leaves it as it is. Fields that it does not know are violations.
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

// Package search is the strategy of the VirtualMachine that exists: a Machine goes to the cluster
// that holds its VirtualMachine. It is the fourth strategy in docs/specification.md ("Automatic
// KubevirtConfig Assignment"). It waits for clusters that do not answer, because the VirtualMachine
// may be there (I3: no answer is not "absent").
//
// The package is pure: no I/O, no clock, no log; the host looks into the clusters.
package search

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

// Strategy takes the cluster in which the Machine's VirtualMachine is found. Found means that the
// VirtualMachine carries the Machine's UID, or that it has the wanted name and belongs to nothing.
// A foreign one of that name does not count.
//
//   - found in two or more clusters: refused (placement.ReasonDuplicateVM)
//   - found in one, ours by UID: that one, whether the others answer or not
//   - some cluster has not answered: hold (placement.ReasonPresenceUnknown), naming all that have not
//   - found in one: that one
//   - found in none: no opinion
type Strategy struct{}

// Name is "search".
func (Strategy) Name() string { return "search" }

// Needs is presence alone.
func (Strategy) Needs() placement.Needs { return placement.Needs{Presence: true, NoLabels: true} }

// Place implements placement.Strategy. It does no I/O.
func (Strategy) Place(_ context.Context, req placement.Request) (placement.Decision, error) {
	found, silent := survey(req.Candidates)
	switch {
	case len(found) > 1:
		return placement.Decision{}, placement.Refusal{
			Reason: placement.ReasonDuplicateVM,
			Message: fmt.Sprintf("the virtual machine of machine %s was found in %d clusters: %s",
				req.Machine, len(found), names(found)),
		}
	case len(found) == 1 && found[0].VM.Owner == placement.Ours:
		return placement.Decision{Config: found[0].Name, Reason: "its virtual machine is there"}, nil
	case len(silent) > 0:
		return placement.Decision{}, placement.Hold{
			Reason: placement.ReasonPresenceUnknown,
			Message: fmt.Sprintf("%d of %d clusters have not said whether they hold the virtual machine of machine %s: %s",
				len(silent), len(req.Candidates), req.Machine, names(silent)),
		}
	case len(found) == 1:
		return placement.Decision{Config: found[0].Name, Reason: "a virtual machine of its name is there"}, nil
	}
	return placement.Decision{
		Reason: fmt.Sprintf("its virtual machine is in none of %d clusters", len(req.Candidates)),
	}, nil
}

// survey returns the clusters that hold the VirtualMachine, and the clusters that gave no answer.
func survey(candidates []placement.Candidate) (found, silent []placement.Candidate) {
	for _, c := range candidates {
		switch {
		case c.VM.Found():
			found = append(found, c)
		case !c.VM.Answered() || c.VM.Presence == placement.Present && c.VM.Owner == placement.OwnerUnknown:
			silent = append(silent, c)
		}
	}
	return found, silent
}

// maxNames is how many clusters a message names.
const maxNames = 10

// names lists the clusters' names, sorted.
func names(candidates []placement.Candidate) string {
	all := make([]string, len(candidates))
	for i, c := range candidates {
		all[i] = c.Name
	}
	slices.Sort(all)
	if more := len(all) - maxNames; more > 0 {
		return strings.Join(all[:maxNames], ", ") + fmt.Sprintf(" and %d more", more)
	}
	return strings.Join(all, ", ")
}

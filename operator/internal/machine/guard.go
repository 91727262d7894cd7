package machine

import (
	"fmt"
	"slices"
	"strings"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/operator/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/placement"
)

// searchStrategy is the strategy whose finding of an unclaimed VirtualMachine is consent to adopt it.
const searchStrategy = "search"

// guard has the last word on a decision, whatever strategy made it: at most one VirtualMachine of a Machine exists, and nobody else's is
// touched.
func (p *pass) guard(config string, trace placement.Trace, seen sightings) (choice, error) {
	strategy := decidedBy(trace)
	all, where := seen.ours()
	if len(all) > 1 {
		return choice{}, p.refuse(vitistackv1alpha1.ReasonDuplicateVM, "there is more than one VirtualMachine of this Machine: in %s", strings.Join(where, ", "))
	}
	if len(all) == 1 {
		return p.guardOurs(config, where[0], strategy, all[0])
	}
	if silent := seen.unanswered(); len(silent) > 0 {
		return choice{}, &Wait{
			Condition: vitistackv1alpha1.ConditionPlaced, Reason: vitistackv1alpha1.ReasonClustersUnanswered, After: placeRetry,
			Message: "it cannot be told whether the VirtualMachine exists already: no answer from " + strings.Join(silent, ", "),
		}
	}
	for _, found := range seen.of(config).found {
		return p.guardNamed(config, strategy, found)
	}
	return choice{config: config, by: strategy}, nil
}

// guardOurs: the VirtualMachine exists, so the Machine belongs where it is.
func (p *pass) guardOurs(config, where, strategy string, found sighting) (choice, error) {
	wanted := references(p.machine)
	if where != config && slices.ContainsFunc(wanted[:], func(name string) bool { return name != "" }) {
		return choice{}, p.refuse(vitistackv1alpha1.ReasonAlreadyPlaced, "the Machine asks for %s, but its VirtualMachine is in %s", config, where)
	}
	return choice{config: where, by: strategy, vm: &found}, nil
}

// guardNamed: the chosen cluster has a VirtualMachine of the wanted name that does not carry the Machine's UID.
func (p *pass) guardNamed(config, strategy string, found sighting) (choice, error) {
	consent := fmt.Sprintf("%s/%s", config, found.vm.UID)
	consented := p.machine.Annotations[vitistackv1alpha1.AnnotationAdopt] == consent
	switch {
	case found.owner == nobodys && (consented || strategy == searchStrategy), found.owner == earlier && consented:
		return choice{config: config, by: strategy, vm: &found}, nil
	case found.owner == foreign && consented:
		return choice{}, p.refuse(vitistackv1alpha1.ReasonAdoptionRefused, "VirtualMachine %s of %s is somebody else's", found.vm.Name, config)
	case found.owner == foreign:
		return choice{}, p.refuse(vitistackv1alpha1.ReasonNameCollision, "%s has a VirtualMachine %s that is somebody else's", config, found.vm.Name)
	default:
		return choice{}, p.refuse(vitistackv1alpha1.ReasonNameCollision,
			"%s has a VirtualMachine %s that was not made for this Machine; annotation %s with the value %s takes it over",
			config, found.vm.Name, vitistackv1alpha1.AnnotationAdopt, consent)
	}
}

func (p *pass) refuse(reason, format string, args ...any) error {
	return &Blocked{Condition: vitistackv1alpha1.ConditionPlaced, Reason: reason, Message: fmt.Sprintf(format, args...)}
}

// decidedBy is the strategy that made the decision.
func decidedBy(trace placement.Trace) string {
	for _, step := range trace {
		if step.Verdict == placement.Placed {
			return step.Strategy
		}
	}
	return ""
}

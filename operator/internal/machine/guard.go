package machine

import (
	"fmt"
	"slices"
	"strings"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/placement"
)

// searchStrategy is the strategy whose finding of an unclaimed VirtualMachine is consent to adopt it.
const searchStrategy = "search"

// verdict judges a decision. It is always guard, but for tests that show what happens without.
type verdict func(p *pass, config string, trace placement.Trace, seen sightings) (choice, error)

// guard has the last word on a decision, whatever strategy made it: at most one VirtualMachine of a Machine exists, and nobody else's is
// touched.
func (p *pass) guard(config string, trace placement.Trace, seen sightings) (choice, error) {
	strategy := decidedBy(trace)
	mine, where := seen.which(p.isMine)
	if len(mine) > 1 {
		return choice{}, p.refuse(vitistackv1alpha1.ReasonDuplicateVM, "there is more than one VirtualMachine of this Machine: in %s", strings.Join(where, ", "))
	}
	if len(mine) == 1 && mine[0].owner == ours {
		return p.guardOurs(config, where[0], strategy, mine[0])
	}
	if silent := seen.unanswered(); len(silent) > 0 {
		return choice{}, p.waitFor(silent)
	}
	if len(mine) == 1 {
		return p.guardOurs(config, where[0], strategy, mine[0])
	}
	for _, found := range seen.of(config).found {
		return p.guardNamed(config, strategy, found)
	}
	if err := p.guardFormer(seen); err != nil {
		return choice{}, err
	}
	if consent := p.machine.Annotations[vitistackv1alpha1.AnnotationAdopt]; consent != "" {
		return choice{}, p.refuse(vitistackv1alpha1.ReasonAdoptionRefused, "there is no VirtualMachine %s, which annotation %s asks for", consent, vitistackv1alpha1.AnnotationAdopt)
	}
	return choice{config: config, by: strategy}, nil
}

// isMine says that a VirtualMachine is this Machine's: by UID, by a MAC address, or because a person says so of one that nobody claims.
func (p *pass) isMine(config string, found sighting) bool {
	switch found.owner {
	case ours, matched, inherited:
		return true
	case nobodys:
		return p.consents(config, found)
	default:
		return false
	}
}

func (p *pass) consents(config string, found sighting) bool {
	return p.machine.Annotations[vitistackv1alpha1.AnnotationAdopt] == consentTo(config, found)
}

// consentTo is the value of the annotation that consents to an adoption.
func consentTo(config string, found sighting) string {
	return fmt.Sprintf("%s/%s", config, found.vm.UID)
}

func (p *pass) waitFor(silent []string) error {
	return &Wait{
		Condition: vitistackv1alpha1.ConditionPlaced, Reason: vitistackv1alpha1.ReasonClustersUnanswered, After: placeRetry,
		Message: "it cannot be told whether the VirtualMachine exists already: no answer from " + strings.Join(silent, ", "),
	}
}

// guardOurs: the VirtualMachine exists, so the Machine belongs where it is.
func (p *pass) guardOurs(config, where, strategy string, found sighting) (choice, error) {
	wanted := references(p.machine)
	if where != config && slices.ContainsFunc(wanted[:], func(name string) bool { return name != "" }) {
		return choice{}, p.refuse(vitistackv1alpha1.ReasonAlreadyPlaced, "the Machine asks for %s, but its VirtualMachine is in %s", config, where)
	}
	return choice{config: where, by: strategy, vm: &found}, nil
}

// guardNamed: the chosen cluster has a VirtualMachine of the wanted name that is not this Machine's.
func (p *pass) guardNamed(config, strategy string, found sighting) (choice, error) {
	switch {
	case found.owner == nobodys && strategy == searchStrategy:
		return choice{config: config, by: strategy, vm: &found}, nil
	case found.owner == foreign && p.consents(config, found):
		return choice{}, p.refuse(vitistackv1alpha1.ReasonAdoptionRefused, "VirtualMachine %s of %s is somebody else's", found.vm.Name, config)
	case found.owner == former && p.consents(config, found):
		return choice{}, p.refuse(vitistackv1alpha1.ReasonAdoptionRefused, "VirtualMachine %s of %s belongs to another Machine, which exists", found.vm.Name, config)
	default:
		return choice{}, p.refuse(vitistackv1alpha1.ReasonNameCollision, "%s", collision(config, found))
	}
}

// collision says whose a VirtualMachine of the wanted name is, and what helps.
func collision(config string, found sighting) string {
	text := fmt.Sprintf("%s has a VirtualMachine %s that ", config, found.vm.Name)
	consent := fmt.Sprintf("annotation %s with the value %s takes it over", vitistackv1alpha1.AnnotationAdopt, consentTo(config, found))
	switch found.owner {
	case foreign:
		return text + "is somebody else's"
	case former:
		return text + "was made for an earlier Machine of this name; if that is gone for good, " + consent
	default:
		return text + "was not made for this Machine; " + consent
	}
}

// closed says why a KubevirtConfig takes no Machine whose VirtualMachine is not there already. nil means that it does.
func closed(configs []vitistackv1alpha1.KubevirtConfig, config string) error {
	for i := range configs {
		wait := &Wait{Condition: vitistackv1alpha1.ConditionPlaced, After: placeRetry}
		switch {
		case configs[i].Name != config:
		case !configs[i].DeletionTimestamp.IsZero():
			wait.Reason, wait.Message = vitistackv1alpha1.ReasonConfigTerminating, fmt.Sprintf("KubevirtConfig %s is being deleted", config)
			return wait
		case configs[i].Spec.Paused:
			wait.Reason, wait.Message = vitistackv1alpha1.ReasonPaused, fmt.Sprintf("KubevirtConfig %s is paused: it takes no new Machines", config)
			return wait
		}
	}
	return nil
}

func (p *pass) refuse(reason, format string, args ...any) error {
	return &Blocked{Condition: vitistackv1alpha1.ConditionPlaced, Reason: reason, Message: fmt.Sprintf(format, args...), After: blockedRetry}
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

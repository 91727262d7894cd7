package machine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// placeRetry is when a Machine that waits for clusters or strategies is looked at again, should no event come.
const placeRetry = 10 * time.Second

// place decides in which cluster the Machine goes and records that. A Machine that has a ledger stays where it is, and nobody is asked.
func (p *pass) place(ctx context.Context) error {
	if err := p.readLedger(ctx); err != nil {
		return err
	}
	if p.ledger == nil && p.machine.Status.KubevirtConfigRef != nil {
		if err := p.restore(ctx); err != nil {
			return err
		}
	}
	if p.ledger != nil {
		p.holdReference()
		return nil
	}
	name, err := desired.VMName(p.settings.VMNamePrefix, p.machine.Name)
	if err != nil {
		return err
	}
	chosen, err := p.choose(ctx, name)
	if err != nil {
		return err
	}
	return p.settleIn(ctx, name, chosen)
}

// holdReference reports a reference that no longer names the cluster of the ledger. Everything else goes on by the ledger.
func (p *pass) holdReference() {
	for _, wanted := range references(p.machine) {
		if wanted != "" && wanted != p.ledger.Config {
			p.problems = append(p.problems, observed.Problem{
				Condition: vitistackv1alpha1.ConditionReady, Reason: vitistackv1alpha1.ReasonReferenceChanged, Blocked: true,
				Message: fmt.Sprintf("the Machine is placed in %s and stays there; its reference now names %s", p.ledger.Config, wanted),
			})
			return
		}
	}
}

// references are the field and the annotation.
func references(machine *vitistackv1alpha1.Machine) [2]string {
	field := ""
	if machine.Spec.KubevirtConfigRef != nil {
		field = machine.Spec.KubevirtConfigRef.Name
	}
	return [2]string{field, machine.Annotations[vitistackv1alpha1.AnnotationKubevirtConfig]}
}

// Placer answers where Machines go. placement.Chain is one, and so is a plugin host.
type Placer interface {
	// Needs is what Place reads of a request, as far as it is known.
	Needs() placement.Needs
	// Place is placement.Chain.Place.
	Place(ctx context.Context, req placement.Request) (placement.Decision, placement.Trace, error)
}

// choice is a cluster and, if the Machine's VirtualMachine is there already, that.
type choice struct {
	config string
	by     string // the strategy
	reason string // the strategy's
	vm     *sighting
}

// asked is what was asked about a Machine's place and what was answered, for the ledger's trace and for people.
type asked struct {
	request placement.Request // with all facts that were gathered
	trace   placement.Trace   // nil where nobody was asked
	seen    sightings         // nil where nobody looked
}

// choose asks the strategies, and then the guard, which no strategy can overrule.
func (p *pass) choose(ctx context.Context, vmName string) (choice, error) {
	configs, err := p.configs(ctx)
	if err != nil {
		return choice{}, err
	}
	request, err := p.request(ctx, configs)
	if err != nil {
		return choice{}, err
	}
	decision, err := p.ask(ctx, vmName, request)
	log.FromContext(ctx).V(1).Info("Strategies answered", "trace", p.asked.trace.String())
	if _, refused := placement.AsRefusal(err); refused { // nobody knows where to: it may be there already
		err = cmp.Or(p.guardFormer(p.asked.seen), err)
	}
	if err != nil {
		return choice{}, p.answer(err)
	}
	if p.asked.seen == nil {
		p.asked.seen = p.look(ctx, vmName, []string{decision.Config})
	}
	chosen, err := p.verdict(p, decision.Config, p.asked.trace, p.asked.seen)
	if err == nil && (chosen.vm == nil || chosen.vm.owner != ours) {
		err = closed(configs, chosen.config)
	}
	chosen.reason = decision.Reason
	return chosen, err
}

// ask asks the strategies, and looks into all clusters before or in between where the Machine is not fresh or a strategy has to know.
func (p *pass) ask(ctx context.Context, vmName string, request placement.Request) (placement.Decision, error) {
	p.asked = asked{request: request}
	if !p.isFresh() || p.hasFormer(ctx, vmName) {
		p.lookEverywhere(ctx, vmName)
	}
	decision, trace, err := p.placer.Place(ctx, p.asked.request)
	if hold, held := placement.AsHold(err); held && hold.Reason == placement.ReasonPresenceNotRequested {
		p.lookEverywhere(ctx, vmName)
		decision, trace, err = p.placer.Place(ctx, p.asked.request)
	}
	p.asked.trace = trace
	return decision, err
}

func (p *pass) lookEverywhere(ctx context.Context, vmName string) {
	p.asked.seen = p.look(ctx, vmName, names(p.asked.request.Candidates))
	p.asked.request = p.asked.seen.inform(p.asked.request)
}

// configs are all KubevirtConfigs, sorted by name.
func (p *pass) configs(ctx context.Context) ([]vitistackv1alpha1.KubevirtConfig, error) {
	configs, err := p.KubevirtClientMgr.ListKubevirtConfigs(ctx)
	if errors.Is(err, clientmgr.ErrSupervisorNotSynced) {
		err = &Wait{
			Condition: vitistackv1alpha1.ConditionPlaced, Reason: vitistackv1alpha1.ReasonConnecting,
			Message: "the KubevirtConfigs are not known yet", After: time.Second,
		}
	}
	return configs, err
}

// isFresh says that only the chosen cluster needs to be asked. One that is to adopt may find its VirtualMachine anywhere.
func (p *pass) isFresh() bool {
	return !p.settings.StrictUniqueness && p.fresh != nil && p.fresh.Fresh(p.machine) &&
		p.machine.Annotations[vitistackv1alpha1.AnnotationAdopt] == ""
}

// settleIn records the choice.
func (p *pass) settleIn(ctx context.Context, vmName string, chosen choice) error {
	ledger, err := p.ledgerOf(vmName, chosen)
	if err != nil {
		return err
	}
	if err := p.record(ctx, ledger); err != nil {
		return err
	}
	p.absent = chosen.vm == nil // the guard saw to that
	p.take(chosen.config, p.asked.request.Machine.Requests)
	p.report(ctx, chosen)
	return nil
}

// ledgerOf is the ledger of a choice, once the cluster is known to be the one that its KubevirtConfig stands for. It does no I/O.
func (p *pass) ledgerOf(vmName string, chosen choice) (vitistackv1alpha1.Ledger, error) {
	state, found := p.KubevirtClientMgr.State(chosen.config)
	if !found {
		return vitistackv1alpha1.Ledger{}, p.answer(placement.Refusal{
			Reason: placement.ReasonUnknownCluster, Message: fmt.Sprintf("KubevirtConfig %s not found", chosen.config),
		})
	}
	if state.ClusterUID == "" && !p.settings.AllowUnverifiedIdentity {
		return vitistackv1alpha1.Ledger{}, &Wait{
			Condition: vitistackv1alpha1.ConditionPlaced, Reason: vitistackv1alpha1.ReasonIdentityUnverified, After: placeRetry,
			Message: fmt.Sprintf("the identity of %s is not known: the UID of its namespace kube-system could not be read", chosen.config),
		}
	}
	ledger := vitistackv1alpha1.Ledger{
		Config: chosen.config, ClusterUID: state.ClusterUID, Namespace: p.machine.Namespace, VMName: vmName, Nonce: newNonce(),
	}
	if chosen.vm != nil {
		ledger.VMName, ledger.VMUID = chosen.vm.vm.Name, string(chosen.vm.vm.UID)
	}
	return ledger, nil
}

// report tells people of a choice that was made for them.
func (p *pass) report(ctx context.Context, chosen choice) {
	logger := log.FromContext(ctx).WithValues("kubevirtConfig", chosen.config)
	switch {
	case chosen.vm != nil:
		p.adopted = true
		logger.Info("Adopted existing VirtualMachine for machine", "vm", chosen.vm.vm.Name)
		p.event(eventNormal, vitistackv1alpha1.ReasonAdopted, "Place",
			fmt.Sprintf("adopted VirtualMachine %s of %s", chosen.vm.vm.Name, chosen.config))
	case chosen.by != placement.Explicit{}.Name():
		logger.Info("Automatically assigned KubevirtConfig to machine", "strategy", chosen.by)
		p.event(eventNormal, vitistackv1alpha1.ReasonPlaced, "Place", fmt.Sprintf("placed in %s by strategy %s", chosen.config, chosen.by))
	default: // as the Machine asks
		logger.Info("Placed machine", "strategy", chosen.by)
	}
}

// answer turns a strategy's refusal or hold into an outcome. Everything else is an error to be tried again.
func (p *pass) answer(err error) error {
	if refusal, refused := placement.AsRefusal(err); refused {
		return &Blocked{
			Condition: vitistackv1alpha1.ConditionPlaced, Message: refusal.Error(),
			Reason: reasonOf(refusal.Reason, vitistackv1alpha1.ReasonStrategyRefused),
		}
	}
	if hold, held := placement.AsHold(err); held {
		return &Wait{
			Condition: vitistackv1alpha1.ConditionPlaced, Message: hold.Error(), After: max(hold.RetryAfter, placeRetry/2),
			Reason: reasonOf(hold.Reason, vitistackv1alpha1.ReasonStrategyHeld),
		}
	}
	return err
}

// reasonOf translates the reasons of package placement. A strategy's own reason stays.
func reasonOf(reason, none string) string {
	switch reason {
	case "":
		return none
	case placement.ReasonNoneAvailable:
		return vitistackv1alpha1.ReasonNoKubevirtConfigs
	case placement.ReasonCannotDetermine:
		return vitistackv1alpha1.ReasonCannotDeterminePlacement
	case placement.ReasonUnknownCluster, placement.ReasonDefaultMissing:
		return vitistackv1alpha1.ReasonConfigNotFound
	case placement.ReasonReferencesDiffer:
		return vitistackv1alpha1.ReasonReferencesDiffer
	case placement.ReasonDuplicateVM:
		return vitistackv1alpha1.ReasonDuplicateVM
	case placement.ReasonPresenceUnknown:
		return vitistackv1alpha1.ReasonClustersUnanswered
	case placement.ReasonStrategyUnavailable:
		return vitistackv1alpha1.ReasonPluginUnavailable
	case placement.ReasonReferenceOverruled, placement.ReasonStrategyFailed:
		return vitistackv1alpha1.ReasonStrategyRefused
	default:
		return reason
	}
}

func names(candidates []placement.Candidate) []string {
	all := make([]string, 0, len(candidates))
	for _, candidate := range candidates {
		all = append(all, candidate.Name)
	}
	return all
}

func configNames(configs []vitistackv1alpha1.KubevirtConfig) []string {
	all := make([]string, 0, len(configs))
	for _, config := range configs {
		all = append(all, config.Name)
	}
	return all
}

// uid is the Machine's as the labels have it.
func (p *pass) uid() types.UID { return p.machine.UID }

package machine

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/survey"
	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// Verdict is what becomes of a Machine's place.
type Verdict string

// The verdicts.
const (
	VerdictPlaced  Verdict = "Placed"  // it is placed already, and stays there
	VerdictRestore Verdict = "Restore" // its ledger is lost, and can be written anew
	VerdictPlace   Verdict = "Place"   // a VirtualMachine would be made for it
	VerdictAdopt   Verdict = "Adopt"   // its VirtualMachine is there and would be taken over
	VerdictWait    Verdict = "Wait"    // not now
	VerdictBlocked Verdict = "Blocked" // not until a person acts
	VerdictPaused  Verdict = "Paused"  // nothing is done for it
)

// Decision is where a Machine belongs. Reconcile writes it down, explain prints it.
type Decision struct {
	// Verdict is Placed, Restore, Place or Adopt.
	Verdict Verdict
	// Ledger is what is recorded, or what would be.
	Ledger vitistackv1alpha1.Ledger
	// VM is the VirtualMachine that exists, as a live look saw it, nil where none was seen.
	VM *kubevirtv1.VirtualMachine
	// Former is the UID of the Machine that VM was made for, where that is another one that is
	// gone. "" is none.
	Former types.UID
	// Strategy chose the cluster and Reason is why, with Place and Adopt.
	Strategy, Reason string
	// Asked is what the strategies were asked and what they answered.
	Asked Asked
	// Seen are the live looks that the decision rests on.
	Seen survey.All
}

// Asked is what was asked about a Machine's place and what was answered.
type Asked struct {
	// Request has all facts that were gathered.
	Request placement.Request
	// Trace are the answers. It is nil where no strategy was asked.
	Trace placement.Trace
}

// decide says where a Machine belongs. It writes nothing. The Decision beside an error has what was
// asked until then.
func (r *MachineReconciler) decide(ctx context.Context, machine *vitistackv1alpha1.Machine) (Decision, error) {
	reading := r.read(machine)
	switch reading.Standing {
	case custody.Broken:
		return Decision{}, problem.Person(vitistackv1alpha1.ConditionReady, reading.Reason, "%s", reading.Message)
	case custody.Confirmed:
		return r.stay(reading.Ledger), nil
	case custody.Unconfirmed:
		if decision, confirmed := r.confirm(ctx, machine, reading.Ledger); confirmed {
			return decision, nil
		}
		if reading.Ledger.Move != "" {
			return Decision{}, problem.Person(vitistackv1alpha1.ConditionReady, vitistackv1alpha1.ReasonLedgerConflict,
				"the record says that the Machine is being moved, and neither its status nor a VirtualMachine in %s confirms that; "+
					"restore the status, or take the annotation %s off where that record is not the operator's", reading.Ledger.Config,
				vitistackv1alpha1.AnnotationPlacement)
		}
		if err := r.outOfSight(ctx, reading.Ledger); err != nil {
			return Decision{}, err
		}
	case custody.Lost:
		return r.restore(ctx, machine, reading.Ledger)
	}
	return r.choose(ctx, machine, reading)
}

// stay keeps a Machine where its record says. Where a person accepted that the KubevirtConfig
// stands for another cluster now, the record follows.
func (r *MachineReconciler) stay(ledger vitistackv1alpha1.Ledger) Decision {
	state, _ := r.KubevirtClientMgr.State(ledger.Config)
	if ledger.Move != "" { // both sides stay as the move recorded them
		return Decision{Verdict: VerdictPlaced, Ledger: ledger}
	}
	if bound, changed := r.record(ledger).Rebound(state.ClusterUID); changed {
		return Decision{Verdict: VerdictRestore, Ledger: bound}
	}
	return Decision{Verdict: VerdictPlaced, Ledger: ledger}
}

// confirm asks the cluster of a record that only the Machine itself carries. Where the
// VirtualMachine there says the same, it is a record.
func (r *MachineReconciler) confirm(
	ctx context.Context, machine *vitistackv1alpha1.Machine, ledger vitistackv1alpha1.Ledger,
) (decision Decision, confirmed bool) {
	if _, known := r.KubevirtClientMgr.State(ledger.Config); !known {
		return Decision{}, false
	}
	subject := r.subject(machine, ledger.VMName)
	if vm := r.cached(ctx, ledger); vm != nil && subject.ConfirmedBy(ledger, survey.Sighting(vm)) {
		return r.stay(ledger), true
	}
	seen := survey.In(ctx, r.KubevirtClientMgr, ledger.Config, r.lookFor(machine, ledger.VMName, true))
	if seen.Silent != nil {
		return Decision{}, false // it is a request until its cluster answers
	}
	for _, vm := range seen.Found {
		if subject.ConfirmedBy(ledger, vm) {
			decision = r.stay(ledger)
			decision.Seen, decision.VM = survey.All{seen}, seen.VM(vm.UID)
			return decision, true
		}
	}
	return Decision{}, false
}

// outOfSight holds a Machine whose record names a VirtualMachine in a cluster that nobody can ask,
// because its KubevirtConfig is gone: another place would make a second one (I3: silence is not
// absence). Whoever forged the record holds his own Machine with it.
func (r *MachineReconciler) outOfSight(ctx context.Context, ledger vitistackv1alpha1.Ledger) error {
	if ledger.VMUID == "" {
		return nil
	}
	configs, err := r.configs(ctx)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(configs, func(c vitistackv1alpha1.KubevirtConfig) bool { return c.Name == ledger.Config }) {
		return nil
	}
	return problem.Person(vitistackv1alpha1.ConditionPlaced, vitistackv1alpha1.ReasonConfigNotFound,
		"KubevirtConfig %s not found, and the Machine's record says that VirtualMachine %s is there; create it again, or, where "+
			"that is gone for good, take the annotation %s off", ledger.Config, ledger.VMName, vitistackv1alpha1.AnnotationPlacement)
}

// cached is the VirtualMachine of a ledger's name as the cache shows it, nil where it shows none.
func (r *MachineReconciler) cached(ctx context.Context, ledger vitistackv1alpha1.Ledger) *kubevirtv1.VirtualMachine {
	remote, err := r.KubevirtClientMgr.GetClientForConfig(ctx, ledger.Config)
	if err != nil {
		return nil
	}
	vm := &kubevirtv1.VirtualMachine{}
	if remote.Get(ctx, client.ObjectKey{Namespace: ledger.Namespace, Name: ledger.VMName}, vm) != nil {
		return nil
	}
	return vm
}

// restore finds out what a lost ledger was, where the status still has its copy and the
// VirtualMachine itself is there to confirm it.
func (r *MachineReconciler) restore(
	ctx context.Context, machine *vitistackv1alpha1.Machine, remembered vitistackv1alpha1.Ledger,
) (Decision, error) {
	const placed = vitistackv1alpha1.ConditionPlaced
	vmName, err := r.vmName(machine, remembered)
	if err != nil {
		return Decision{}, err
	}
	seen := survey.In(ctx, r.KubevirtClientMgr, remembered.Config, r.lookFor(machine, vmName, true))
	if seen.Silent != nil {
		return Decision{}, problem.Remote(seen.Silent, remembered.Config,
			problem.At{Condition: placed, Doing: "looking for VirtualMachine " + vmName})
	}
	c, err := r.caseOf(ctx, machine, vmName, nil, survey.All{seen})
	if err != nil {
		return Decision{}, err
	}
	found := c.FindLost()
	if former, refuse := c.RefuseFormer(); refuse && found.Is == custody.Absent {
		return Decision{}, problem.Person(placed, former.Reason, "%s", former.Message)
	}
	if found.Is != custody.Yours || remembered.ClusterUID != "" && remembered.ClusterUID != seen.ClusterUID {
		return Decision{}, problem.Person(vitistackv1alpha1.ConditionReady, vitistackv1alpha1.ReasonLedgerConflict,
			"the status says that the Machine is placed in %s, but annotation %s is gone and no VirtualMachine there confirms it%s",
			remembered.Config, vitistackv1alpha1.AnnotationPlacement, suffix(found.Message))
	}
	vm := found.Place.VM
	ledger := vitistackv1alpha1.Ledger{
		Config: remembered.Config, ClusterUID: seen.ClusterUID, Namespace: machine.Namespace,
		VMName: vm.Name, VMUID: string(vm.UID), Nonce: cmp.Or(vm.Nonce, newNonce()),
	}
	return Decision{Verdict: VerdictRestore, Ledger: ledger, VM: seen.VM(vm.UID), Seen: survey.All{seen}}, nil
}

func suffix(message string) string {
	if message == "" {
		return ""
	}
	return ": " + message
}

// vmName is the name of a Machine's VirtualMachine: that of a record, else the one that it would
// get.
func (r *MachineReconciler) vmName(
	machine *vitistackv1alpha1.Machine, ledger vitistackv1alpha1.Ledger,
) (string, error) {
	if ledger.VMName != "" {
		return ledger.VMName, nil
	}
	name, err := desired.VMName(r.settings.VMNamePrefix, machine.Name)
	return name, problem.Pure(err, vitistackv1alpha1.ConditionPlaced)
}

// choose asks the strategies, and then the judge, whom no strategy can overrule. An unconfirmed
// record is a request for its cluster, which its own annotation vitistack.io/kubevirt-config
// repeats.
func (r *MachineReconciler) choose(
	ctx context.Context, machine *vitistackv1alpha1.Machine, reading custody.Reading,
) (Decision, error) {
	decision := Decision{Verdict: VerdictPlace}
	vmName, err := r.vmName(machine, vitistackv1alpha1.Ledger{})
	if err != nil {
		return decision, err
	}
	configs, err := r.configs(ctx)
	if err != nil {
		return decision, err
	}
	if wanted := custody.References(machine); wanted == [2]string{} {
		if err := r.awake(ctx, configs); err != nil {
			return decision, err
		}
	}
	clusters, silent := r.clustersNow(configs)
	if err := r.stillUnanswered(machine, clusters, silent); err != nil {
		return decision, err
	}
	r.learnKept(ctx, machine)
	decision, err = r.chooseAmong(ctx, machine, acceptance{configs: configs, vmName: vmName, reading: reading})
	if isUnanswered(err) {
		r.memory.unanswered.looked(client.ObjectKeyFromObject(machine), clusters, r.clock.Now())
	}
	return decision, err
}

// chooseAmong is choose, once it is known which clusters there are. a has no config yet.
func (r *MachineReconciler) chooseAmong(
	ctx context.Context, machine *vitistackv1alpha1.Machine, a acceptance,
) (Decision, error) {
	decision := Decision{Verdict: VerdictPlace}
	chosen, err := r.ask(ctx, machine, a.vmName, a.configs, &decision)
	log.FromContext(ctx).V(1).Info("Strategies answered", "trace", decision.Asked.Trace.String())
	if err != nil {
		return decision, r.refusal(ctx, machine, a.vmName, decision.Seen, err)
	}
	if decision.Seen == nil {
		decision.Seen = survey.Everywhere(ctx, r.KubevirtClientMgr, []string{chosen.Config},
			r.lookFor(machine, a.vmName, false))
	}
	c, err := r.caseOf(ctx, machine, a.vmName, nil, decision.Seen)
	if err != nil {
		return decision, err
	}
	decision.Strategy, decision.Reason = decidedBy(decision.Asked.Trace), chosen.Reason
	found := r.judge(c, custody.Choice{Config: chosen.Config, Searched: decision.Strategy == searchStrategy &&
		len(decision.Seen) == len(a.configs)})
	a.config = chosen.Config
	return r.accept(ctx, machine, decision, found, a)
}

// searchStrategy is the strategy that chooses by looking for an existing VirtualMachine. Its name
// is necessary for taking over an unclaimed one, and not sufficient: the judge counts for itself.
const searchStrategy = "search"

// acceptance is what accept needs besides the judge's finding.
type acceptance struct {
	config  string // that was chosen
	configs []vitistackv1alpha1.KubevirtConfig
	vmName  string
	reading custody.Reading
}

// accept turns the judge's finding into a decision.
func (r *MachineReconciler) accept(
	ctx context.Context, machine *vitistackv1alpha1.Machine, decision Decision, found custody.Finding, a acceptance,
) (Decision, error) {
	config := a.config
	switch found.Is {
	case custody.Undecided:
		return decision, problem.Cluster(vitistackv1alpha1.ConditionPlaced, found.Reason, "%s", found.Message)
	case custody.Refused:
		return decision, problem.Person(vitistackv1alpha1.ConditionPlaced, found.Reason, "%s", found.Message)
	case custody.Yours:
		config = found.Place.Config
		decision.Verdict, decision.VM = VerdictAdopt, decision.Seen.VM(found.Place)
	}
	if found.Is != custody.Yours || found.Relation != custody.Mine {
		if err := r.closed(ctx, a.configs, config, machine.Namespace); err != nil {
			return decision, err
		}
	}
	if found.Relation == custody.OtherMachineGone && found.Is == custody.Yours {
		decision.Former = types.UID(found.Place.VM.Labels[vitistackv1alpha1.LabelMachineUID])
	}
	ledger, err := r.ledgerFor(machine, a.vmName, config, a.reading)
	if err != nil {
		return decision, err
	}
	if found.Is == custody.Yours {
		ledger.VMName, ledger.VMUID = found.Place.VM.Name, string(found.Place.VM.UID)
		ledger.Nonce = cmp.Or(found.Place.VM.Nonce, ledger.Nonce)
	}
	decision.Ledger = ledger
	return decision, nil
}

// ledgerFor is the ledger of a choice, once the cluster is known to be the one that its
// KubevirtConfig stands for. It does no I/O. The nonce of an unconfirmed ledger of the same cluster
// is kept while that names no virtual machine: a creation under it may still be on its way.
func (r *MachineReconciler) ledgerFor(
	machine *vitistackv1alpha1.Machine, vmName, config string, reading custody.Reading,
) (vitistackv1alpha1.Ledger, error) {
	const placed = vitistackv1alpha1.ConditionPlaced
	state, found := r.KubevirtClientMgr.State(config)
	if !found {
		return vitistackv1alpha1.Ledger{},
			problem.Person(placed, vitistackv1alpha1.ReasonConfigNotFound, "KubevirtConfig %s not found", config)
	}
	if !isVerified(state) && (!r.settings.AllowUnverifiedIdentity || state.RememberedUID != "") {
		return vitistackv1alpha1.Ledger{}, problem.Cluster(placed, vitistackv1alpha1.ReasonIdentityUnverified,
			"the identity of %s is not known: the UID of its namespace kube-system could not be read", config)
	}
	ledger := vitistackv1alpha1.Ledger{
		Config: config, ClusterUID: state.ClusterUID, Namespace: machine.Namespace, VMName: vmName, Nonce: newNonce(),
	}
	if was := reading.Ledger; reading.Standing == custody.Unconfirmed && was.VMUID == "" && was.Config == config &&
		was.ClusterUID == state.ClusterUID {
		ledger.Nonce = was.Nonce
	}
	return ledger, nil
}

// isVerified reports whether the present connection has proven which cluster it leads to.
func isVerified(state clientmgr.State) bool {
	return state.ClusterUID != "" && state.IdentityVerified != "Unknown"
}

// refusal turns a strategy's refusal or hold into a Problem. A refusal gives way to the
// VirtualMachine of an earlier Machine of this name: the Machine may have one already.
func (r *MachineReconciler) refusal(
	ctx context.Context, machine *vitistackv1alpha1.Machine, vmName string, seen survey.All, err error,
) error {
	if _, refused := placement.AsRefusal(err); refused {
		c, caseErr := r.caseOf(ctx, machine, vmName, nil, seen)
		if caseErr != nil {
			return caseErr
		}
		if former, refuse := c.RefuseFormer(); refuse {
			return problem.Person(vitistackv1alpha1.ConditionPlaced, former.Reason, "%s", former.Message)
		}
	}
	return answer(err)
}

// configs are all KubevirtConfigs, sorted by name.
func (r *MachineReconciler) configs(ctx context.Context) ([]vitistackv1alpha1.KubevirtConfig, error) {
	configs, err := r.KubevirtClientMgr.ListKubevirtConfigs(ctx)
	if errors.Is(err, clientmgr.ErrSupervisorNotSynced) {
		return nil, problem.Time(vitistackv1alpha1.ConditionPlaced, vitistackv1alpha1.ReasonConnecting,
			"the KubevirtConfigs are not known yet")
	}
	return configs, problem.Supervisor(err,
		problem.At{Condition: vitistackv1alpha1.ConditionPlaced, Doing: "listing KubevirtConfigs"})
}

func newNonce() string { return string(uuid.NewUUID()) }

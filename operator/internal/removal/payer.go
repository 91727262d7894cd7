package removal

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/hashicorp/go-multierror"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/survey"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/wake"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// Payer pays debts: it deletes what is owed to a cluster once that answers again.
type Payer struct {
	Book     Book
	Clusters clientmgr.RemoteClusters
	// Server reads the supervisor past the cache.
	Server  side.SupervisorServer
	Options desired.Options
	// Buried is told of each grave that is written down with a debt, nil for nobody.
	Buried func(Grave)
	// Clock tells whether a creation may still arrive.
	Clock clock.PassiveClock

	waiting wake.Streaks // by KubevirtConfig
	made    chan string  // KubevirtConfigs to whose clusters something is owed since a moment ago
	late    lateComers
}

// NewPayer returns a Payer.
func NewPayer(
	book Book, clusters clientmgr.RemoteClusters, server side.SupervisorServer, options desired.Options,
) *Payer {
	return &Payer{Book: book, Clusters: clusters, Server: server, Options: options, Clock: clock.RealClock{},
		made: make(chan string, 64)}
}

// Owe writes a debt down and looks at it soon.
func (p *Payer) Owe(ctx context.Context, debt Debt) error {
	if err := p.Book.Owe(ctx, debt); err != nil {
		return err
	}
	if debt.Move != "" && p.Buried != nil {
		p.Buried(GraveOf(debt))
	}
	if !debt.Late.IsZero() {
		p.late.expect(debt.Ledger.Config, debt.UID)
	}
	_, _ = p.Clusters.GetClientForConfig(ctx, debt.Ledger.Config) // connects one that is only while it is needed
	p.lookSoon(debt.Ledger.Config)
	return nil
}

// Notice is told of each object of a cluster that came, changed or went, and looks soon at the debt that it
// belongs to. For all others it costs a look into a map.
func (p *Payer) Notice(config string, object client.Object) {
	if p.late.has(config, types.UID(object.GetLabels()[vitistackv1alpha1.LabelMachineUID])) {
		p.lookSoon(config)
	}
}

func (p *Payer) lookSoon(config string) {
	select {
	case p.made <- config:
	default: // too many are on their way; the debt is paid when the cluster comes back, or its time is over
	}
}

// SetupWithManager lets mgr pay debts: when a cluster answers again, soon after they were made where
// it answers already, and when something arrives late.
func (p *Payer) SetupWithManager(mgr ctrl.Manager) error {
	states := func(_ context.Context, config string) []reconcile.Request {
		return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: config}}}
	}
	return ctrl.NewControllerManagedBy(mgr).Named("debts").
		WatchesRawSource(p.Clusters.Source(clientmgr.EventHandler{State: states})).
		WatchesRawSource(source.Func(p.listen)).
		WithOptions(controller.Options{RateLimiter: wake.Backoff()}).
		Complete(p)
}

// listen asks for the debts of each KubevirtConfig to which something is owed since a moment ago.
func (p *Payer) listen(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case config := <-p.made:
				queue.Add(reconcile.Request{NamespacedName: types.NamespacedName{Name: config}})
			}
		}
	}()
	return nil
}

// Reconcile pays what is owed to the cluster that the request names, each debt by itself: one that
// cannot be paid keeps no other from it.
func (p *Payer) Reconcile(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	if state, _ := p.Clusters.State(request.Name); !state.Ready() {
		return ctrl.Result{}, nil // its return is an event
	}
	debts, err := p.Book.Debts(ctx)
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("reading the debts: %w", err)
	}
	debts = slices.DeleteFunc(debts, func(debt Debt) bool { return debt.Ledger.Config != request.Name })
	p.late.expectOf(request.Name, debts)
	var failed *multierror.Error
	left, end := false, time.Duration(0)
	for _, debt := range debts {
		early := debt.Late.Sub(p.Clock.Now())
		paid, err := p.Pay(ctx, debt)
		if err != nil {
			failed = multierror.Append(failed, fmt.Errorf("paying the debt of Machine %s: %w", debt.Machine, err))
		}
		left = left || !paid && early <= 0
		end = wake.Soonest(end, early)
	}
	if err := failed.ErrorOrNil(); err != nil {
		return ctrl.Result{}, err
	}
	if left { // what is going is looked for again, ever more seldom
		row := p.waiting.Fail(request.NamespacedName, "", "", nil, p.Clock.Now())
		return ctrl.Result{RequeueAfter: wake.Soonest(row.Wait(), end)}, nil
	}
	p.waiting.End(request.NamespacedName)
	return ctrl.Result{RequeueAfter: end}, nil // what arrives before is an event
}

// Pay goes the steps of a deletion for a Machine that is gone. paid is false while something is
// still going or may still come, or while the Machine exists.
func (p *Payer) Pay(ctx context.Context, debt Debt) (paid bool, err error) {
	early := p.Clock.Now().Before(debt.Late)
	machine := &vitistackv1alpha1.Machine{}
	err = p.Server.Get(ctx, client.ObjectKey{Namespace: debt.Ledger.Namespace, Name: debt.Machine}, machine)
	if client.IgnoreNotFound(err) != nil {
		return false, fmt.Errorf("looking for the Machine: %w", err)
	}
	exists := err == nil && machine.UID == debt.UID
	if exists && !p.goesOn(ctx, machine, debt) {
		return false, nil // it was not let go after all, or came back from a backup
	}
	ctx = log.IntoContext(ctx, log.FromContext(ctx).WithValues("namespace", debt.Ledger.Namespace, "machine",
		debt.Machine))
	err = p.pay(ctx, debt, exists)
	if waiting, isProblem := problem.As(err); isProblem {
		log.FromContext(ctx).V(1).Info("Debt is not paid yet", "reason", waiting.Reason, "message", waiting.Message)
		return false, nil
	}
	if err != nil || early {
		return false, err
	}
	log.FromContext(ctx).Info("Paid debt", "kubevirtConfig", debt.Ledger.Config, "vm", debt.Ledger.VMName)
	return true, p.Book.Paid(ctx, debt)
}

// pay deletes what is owed. Of a Machine that goes on elsewhere it deletes nothing that may be newer
// than what that has.
func (p *Payer) pay(ctx context.Context, debt Debt, goesOn bool) error {
	state, _ := p.Clusters.State(debt.Ledger.Config)
	debt.Ledger, _ = custody.Record{Ledger: debt.Ledger,
		FormerClusterUIDs: state.FormerClusterUIDs}.Rebound(state.ClusterUID)
	ghost := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{
		Namespace: debt.Ledger.Namespace, Name: debt.Machine, UID: debt.UID,
		Annotations: map[string]string{vitistackv1alpha1.AnnotationPlacement: debt.Ledger.String()},
	}}
	remote, err := survey.Open(ctx, p.Clusters, ghost)
	if err != nil {
		return err
	}
	job := Job{MachineUID: debt.UID, SupervisorUID: p.Options.SupervisorUID, Ledger: debt.Ledger, Remote: remote}
	if debt.Move != "" {
		if err := job.DeleteOffer(ctx, debt.Move); err != nil {
			return err
		}
	}
	seen := survey.In(ctx, p.Clusters, debt.Ledger.Config, survey.For{
		Namespace: debt.Ledger.Namespace, Names: []string{debt.Ledger.VMName}, UIDLabel: desired.LabelValue(string(debt.UID)),
	})
	if seen.Silent != nil {
		return problem.Remote(seen.Silent, debt.Ledger.Config,
			problem.At{Condition: ready, Doing: "looking for VirtualMachine " + debt.Ledger.VMName})
	}
	found := custody.Case{
		Machine: custody.Subject{
			Namespace: ghost.Namespace, Name: ghost.Name, Labels: desired.Labels(ghost, p.Options), VMName: debt.Ledger.VMName,
		},
		Record: &custody.Record{Ledger: debt.Ledger}, Looks: []custody.Look{seen.Look},
	}.Find()
	if found.Is != custody.Yours || found.Relation != custody.Mine {
		return job.DeleteDisks(ctx, debt.Disks) // whatever else is there, nobody owes it
	}
	vm := seen.VM(found.Place.VM.UID)
	if goesOn && !fenced(vm, debt) {
		return problem.Person(ready, vitistackv1alpha1.ReasonSourceStarted,
			"VirtualMachine %s in %s was started after its disks were copied, and may have what the Machine lacks; delete it by hand, "+
				"and take the entry %s out of ConfigMap %s", vm.Name, debt.Ledger.Config, debt.key(), vitistackv1alpha1.DebtsConfigMap)
	}
	if vm.DeletionTimestamp.IsZero() {
		if debt.Disks, err = job.DisksOf(ctx, vm); err != nil {
			return err
		}
		if err := p.Book.Owe(ctx, debt); err != nil {
			return fmt.Errorf("recording the disks: %w", err)
		}
	}
	_, err = job.DeleteVM(ctx, vm)
	return err
}

// goesOn reports whether the Machine of a debt that a move left behind is in another cluster, and
// its VirtualMachine is seen there: what is owed may else be the last copy of its disks.
func (p *Payer) goesOn(ctx context.Context, machine *vitistackv1alpha1.Machine, debt Debt) bool {
	ledger, err := vitistackv1alpha1.LedgerOf(machine)
	if err != nil || debt.Move == "" || ledger.Move != "" || ledger.VMUID == "" || ledger.VMUID == debt.Ledger.VMUID {
		return false
	}
	seen := survey.In(ctx, p.Clusters, ledger.Config,
		survey.For{Namespace: ledger.Namespace, Names: []string{ledger.VMName}})
	return seen.Silent == nil && seen.ClusterUID == ledger.ClusterUID && seen.VM(types.UID(ledger.VMUID)) != nil
}

// fenced reports whether a VirtualMachine is as the move left it: off, and off since.
func fenced(vm *kubevirtv1.VirtualMachine, debt Debt) bool {
	token, stopped := strings.CutPrefix(vm.Annotations[vitistackv1alpha1.AnnotationMovedBy], debt.Move+".")
	return ptr.Deref(vm.Spec.RunStrategy, "") == kubevirtv1.RunStrategyHalted && !vm.Status.Created && stopped &&
		Fence(token, vm.Generation) == debt.Fence
}

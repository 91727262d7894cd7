package machine

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

// DebtsName is the ConfigMap in the configs' namespace with what is owed to clusters that gave no answer when a Machine was let go: a
// Debt under each such Machine's UID.
const DebtsName = "vitistack-debts"

// debtRetry is when a debt is looked at again that could not be paid though its cluster answers.
const debtRetry = time.Minute

// Debt is what is left to be deleted of a Machine that is gone: the VirtualMachine of its ledger with its disks, and no other.
type Debt struct {
	// Machine is the name that the Machine had; it was in the ledger's namespace.
	Machine string `json:"machine"`
	// UID is the Machine's.
	UID types.UID `json:"uid"`
	// Ledger says where it was placed.
	Ledger vitistackv1alpha1.Ledger `json:"ledger"`
}

// ReadDebts returns all debts, sorted by the Machine's UID. What cannot be read is left out. It asks reader once.
func ReadDebts(ctx context.Context, reader client.Reader, configsNamespace string) ([]Debt, error) {
	book := &corev1.ConfigMap{}
	err := reader.Get(ctx, client.ObjectKey{Namespace: configsNamespace, Name: DebtsName}, book)
	if err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	var debts []Debt
	for _, uid := range slices.Sorted(maps.Keys(book.Data)) {
		var debt Debt
		err := json.Unmarshal([]byte(book.Data[uid]), &debt)
		if err == nil {
			err = debt.Ledger.Validate()
		}
		if err != nil || string(debt.UID) != uid {
			log.FromContext(ctx).Error(err, "Found a debt that cannot be read", "configMap", DebtsName, "key", uid)
			continue
		}
		debts = append(debts, debt)
	}
	return debts, nil
}

// owe records what is left of the Machine, before it is let go.
func (p *pass) owe(ctx context.Context, ledger vitistackv1alpha1.Ledger) error {
	if err := ledger.Validate(); err != nil { // it could be neither read nor paid
		return blockReady(vitistackv1alpha1.ReasonLedgerInvalid, "what is left in %s cannot be owed: %v", ledger.Config, err)
	}
	text, err := json.Marshal(Debt{Machine: p.machine.Name, UID: p.uid(), Ledger: ledger})
	if err != nil {
		return err
	}
	if err := p.keepBook(ctx, p.uid(), string(text)); err != nil {
		return fmt.Errorf("recording the debt: %w", err)
	}
	select {
	case p.indebted <- ledger.Config:
	default: // nobody listens, or too many say so already; it is paid when the cluster comes back
	}
	return nil
}

// keepBook sets one entry of the ConfigMap, or removes it where value is nil. It touches no other entry, whoever writes meanwhile.
func (r *MachineReconciler) keepBook(ctx context.Context, uid types.UID, value any) error {
	patch, err := json.Marshal(map[string]any{"data": map[types.UID]any{uid: value}})
	if err != nil {
		return err
	}
	book := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: r.settings.ConfigsNamespace, Name: DebtsName}}
	err = r.Patch(ctx, book, client.RawPatch(types.MergePatchType, patch), uncached)
	if !apierrors.IsNotFound(err) || value == nil {
		return client.IgnoreNotFound(err)
	}
	if err := ignoreExisting(r.Create(ctx, book.DeepCopy(), uncached)); err != nil {
		return err
	}
	return r.Patch(ctx, book, client.RawPatch(types.MergePatchType, patch), uncached)
}

// setupDebts lets mgr pay debts: when a cluster answers again, and soon after they were made where it answers already.
func (r *MachineReconciler) setupDebts(mgr ctrl.Manager) error {
	request := func(config string) reconcile.Request {
		return reconcile.Request{NamespacedName: types.NamespacedName{Name: config}}
	}
	states := func(_ context.Context, config string) []reconcile.Request {
		return []reconcile.Request{request(config)}
	}
	made := source.Func(func(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
		go func() {
			for {
				select {
				case <-ctx.Done():
					return
				case config := <-r.indebted:
					queue.Add(request(config))
				}
			}
		}()
		return nil
	})
	return ctrl.NewControllerManagedBy(mgr).Named("debts").
		WatchesRawSource(r.KubevirtClientMgr.Source(clientmgr.EventHandler{State: states})).
		WatchesRawSource(made).
		Complete(reconcile.Func(r.PayDebts))
}

// PayDebts deletes what is owed to the cluster that the request names.
func (r *MachineReconciler) PayDebts(ctx context.Context, request ctrl.Request) (ctrl.Result, error) {
	if state, _ := r.KubevirtClientMgr.State(request.Name); !state.Ready() {
		return ctrl.Result{}, nil // its return is an event
	}
	debts, err := ReadDebts(ctx, r.live, r.settings.ConfigsNamespace)
	if err != nil {
		return ctrl.Result{}, fmt.Errorf("reading the debts: %w", err)
	}
	var again time.Duration
	for _, debt := range debts {
		if debt.Ledger.Config != request.Name {
			continue
		}
		after, err := r.Pay(ctx, debt)
		if err != nil {
			return ctrl.Result{}, err
		}
		again = soonest(again, after)
	}
	return ctrl.Result{RequeueAfter: again}, nil
}

// Pay goes the steps of a deletion for a Machine that is gone. It returns when to go on, 0 where the debt is paid.
func (r *MachineReconciler) Pay(ctx context.Context, debt Debt) (time.Duration, error) {
	machine := &vitistackv1alpha1.Machine{}
	err := r.live.Get(ctx, client.ObjectKey{Namespace: debt.Ledger.Namespace, Name: debt.Machine}, machine)
	if client.IgnoreNotFound(err) != nil {
		return 0, fmt.Errorf("looking for Machine %s: %w", debt.Machine, err)
	}
	if err == nil && machine.UID == debt.UID {
		return debtRetry, nil // it was not let go after all, or came back from a backup
	}
	ghost := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{
		Namespace: debt.Ledger.Namespace, Name: debt.Machine, UID: debt.UID,
		Annotations: map[string]string{vitistackv1alpha1.AnnotationPlacement: debt.Ledger.String()},
	}}
	p := r.newPass(ghost)
	p.owed, p.ledger = true, &debt.Ledger
	ctx = log.IntoContext(ctx, log.FromContext(ctx).WithValues("namespace", ghost.Namespace, "machine", ghost.Name))
	err = p.connect(ctx)
	if err == nil {
		err = p.deleteVM(ctx)
	}
	switch outcome := settle(err, vitistackv1alpha1.ConditionReady); {
	case outcome.err != nil:
		return 0, outcome.err
	case outcome.problem != nil:
		log.FromContext(ctx).V(1).Info("Debt is not paid yet", "reason", outcome.problem.Reason, "message", outcome.problem.Message)
		return soonest(outcome.after, debtRetry), nil
	case outcome.stale:
		return outcome.after, nil
	}
	log.FromContext(ctx).Info("Paid debt", "kubevirtConfig", debt.Ledger.Config, "vm", debt.Ledger.VMName)
	return 0, r.keepBook(ctx, debt.UID, nil)
}

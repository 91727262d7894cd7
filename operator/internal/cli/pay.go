package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/orphan"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/removal"
)

// goneTimeout is how long the end of a virtual machine is waited for.
const goneTimeout = 2 * time.Minute

// pay deletes an orphan and waits until it and its disks are gone. It pays as an operator pays a
// debt. Once the deletion has begun, the orphan is in the book of debts. Where this command ends
// too early, an operator goes on.
func (s *session) pay(ctx context.Context, payer *removal.Payer, each orphan.VM) error {
	debt := s.debtOf(each)
	payOnce := func(ctx context.Context) (paid bool, err error) {
		if debt, err = inBook(ctx, payer.Book, debt); err != nil {
			return false, err
		}
		return payer.Pay(ctx, debt)
	}
	err := wait.PollUntilContextTimeout(ctx, time.Second, goneTimeout, true, payOnce)
	if wait.Interrupted(err) && ctx.Err() == nil {
		return fmt.Errorf("it is not gone after %s; operator orphans lists it as owed once its deletion began", goneTimeout)
	}
	if err != nil {
		return err
	}
	return s.expectGone(ctx, each)
}

// debtOf is an orphan as a debt: deleted in the same steps, and under the same guards. A virtual
// machine without the UID of a Machine is written down under its own.
func (s *session) debtOf(each orphan.VM) removal.Debt {
	state, _ := s.remotes.State(each.Config)
	vm := each.Object
	return removal.Debt{
		Machine: vm.Labels[vitistackv1alpha1.LabelSourceMachine],
		UID:     types.UID(cmp.Or(vm.Labels[vitistackv1alpha1.LabelMachineUID], string(vm.UID))),
		Ledger: vitistackv1alpha1.Ledger{
			Config: each.Config, ClusterUID: state.ClusterUID,
			Namespace: vm.Namespace, VMName: vm.Name, VMUID: string(vm.UID), Nonce: string(vm.UID),
		},
	}
}

// inBook is the debt as the book has it, with the disks that are known since the deletion began. A
// debt that is not in the book is returned as it is. The book has room for one debt of a Machine,
// so that a debt for another virtual machine of the same Machine must be paid first.
func inBook(ctx context.Context, book removal.Book, debt removal.Debt) (removal.Debt, error) {
	debts, err := book.Debts(ctx)
	if err != nil {
		return debt, fmt.Errorf("reading the debts: %w", err)
	}
	i := slices.IndexFunc(debts, func(other removal.Debt) bool { return other.UID == debt.UID })
	if i < 0 {
		return debt, nil
	}
	recorded := debts[i]
	if recorded.Ledger.Config != debt.Ledger.Config || recorded.Ledger.VMUID != debt.Ledger.VMUID {
		return debt, fmt.Errorf("of the same Machine, VirtualMachine %s is owed to %s: that debt must be paid first",
			recorded.Ledger.VMName, recorded.Ledger.Config)
	}
	return recorded, nil
}

// expectGone returns an error while the virtual machine is there. A debt also counts as paid where
// the virtual machine turns out to be nobody's.
func (s *session) expectGone(ctx context.Context, each orphan.VM) error {
	live, err := s.remotes.Live(each.Config)
	if err != nil {
		return err
	}
	vm := &metav1.PartialObjectMetadata{}
	vm.SetGroupVersionKind(kubevirtv1.VirtualMachineGroupVersionKind)
	err = live.Get(ctx, client.ObjectKeyFromObject(&each.Object), vm)
	if err != nil {
		return client.IgnoreNotFound(err)
	}
	if vm.UID == each.Object.UID {
		return errors.New("it was left alone: its labels or its cluster are not this supervisor's any more")
	}
	return nil
}

package removal

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Debt is what is left to be deleted of a Machine that is gone: the VirtualMachine of its ledger
// with its disks, and no other.
type Debt struct {
	// Machine is the name that the Machine had; it was in the ledger's namespace.
	Machine string `json:"machine"`
	// UID is the Machine's.
	UID types.UID `json:"uid"`
	// Ledger says where it was placed.
	Ledger vitistackv1alpha1.Ledger `json:"ledger"`
	// Disks go with the VirtualMachine. They are known once its deletion has begun.
	Disks vitistackv1alpha1.DiskRecord `json:"disks,omitempty"`
}

// Book is the ConfigMap of the debts. Its methods are safe for concurrent use, by several processes
// too.
type Book struct {
	// Writer writes to the supervisor, Server reads it past the cache.
	Writer client.Client
	Server client.Reader
	// Namespace is that of the KubevirtConfigs.
	Namespace string
}

// Debts returns all debts, sorted by the Machine's UID. What cannot be read is left out and logged.
func (b Book) Debts(ctx context.Context) ([]Debt, error) {
	book := &corev1.ConfigMap{}
	err := b.Server.Get(ctx, client.ObjectKey{Namespace: b.Namespace, Name: vitistackv1alpha1.DebtsConfigMap}, book)
	if err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	var debts []Debt
	for _, uid := range slices.Sorted(maps.Keys(book.Data)) {
		debt, err := parseDebt(uid, book.Data[uid])
		if err != nil {
			log.FromContext(ctx).Error(err, "Found a debt that cannot be read", "configMap", vitistackv1alpha1.DebtsConfigMap,
				"key", uid)
			continue
		}
		debts = append(debts, debt)
	}
	return debts, nil
}

func parseDebt(uid, text string) (Debt, error) {
	var debt Debt
	if err := json.Unmarshal([]byte(text), &debt); err != nil {
		return Debt{}, err
	}
	if string(debt.UID) != uid {
		return Debt{}, fmt.Errorf("the entry of %s is another Machine's", uid)
	}
	return debt, debt.Ledger.Validate()
}

// Owe writes a debt down, over an earlier one of the same Machine.
func (b Book) Owe(ctx context.Context, debt Debt) error {
	text, err := json.Marshal(debt)
	if err != nil {
		return err
	}
	return b.set(ctx, debt.UID, string(text))
}

// Paid strikes a debt out.
func (b Book) Paid(ctx context.Context, uid types.UID) error { return b.set(ctx, uid, nil) }

// set sets one entry, or removes it where value is nil. It touches no other entry, whoever writes
// meanwhile.
func (b Book) set(ctx context.Context, uid types.UID, value any) error {
	patch, err := json.Marshal(map[string]any{"data": map[types.UID]any{uid: value}})
	if err != nil {
		return err
	}
	book := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: b.Namespace,
		Name: vitistackv1alpha1.DebtsConfigMap}}
	err = b.Writer.Patch(ctx, book, client.RawPatch(types.MergePatchType, patch))
	if !apierrors.IsNotFound(err) || value == nil {
		return client.IgnoreNotFound(err)
	}
	err = b.Writer.Create(ctx, book.DeepCopy())
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	return b.Writer.Patch(ctx, book, client.RawPatch(types.MergePatchType, patch))
}

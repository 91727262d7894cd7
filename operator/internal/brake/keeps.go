package brake

import (
	"context"
	"encoding/json"

	"k8s.io/apimachinery/pkg/types"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Keep is a VirtualMachine that a person kept when its Machine went: the next Machine of that name
// inherits it.
type Keep struct {
	// Namespace and Name were the Machine's.
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	// Config is the KubevirtConfig of the cluster that has the VirtualMachine, VMUID its UID.
	Config string `json:"config"`
	VMUID  string `json:"vmUID"`
	// Machine is the UID of the Machine that went.
	Machine types.UID `json:"-"`
}

func (k Keep) key() types.NamespacedName {
	return types.NamespacedName{Namespace: k.Namespace, Name: k.Name}
}

func (k Keep) bookKey() string { return vitistackv1alpha1.KeptPrefix + string(k.Machine) }

// Keep writes down that a VirtualMachine waits for the next Machine of a name. The errors are the
// supervisor's.
func (b *Brake) Keep(ctx context.Context, keep Keep) error {
	text, err := json.Marshal(keep)
	if err != nil {
		return err
	}
	if err := b.options.Book.entries().Set(ctx, map[string]any{keep.bookKey(): string(text)}); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.locked.keeps[keep.key()] = keep
	return nil
}

// Kept is the VirtualMachine that waits for a Machine of a name; found is false where none does. anew
// reads the Book again, because another process may have kept it. The errors are the supervisor's.
func (b *Brake) Kept(ctx context.Context, key types.NamespacedName, anew bool) (keep Keep, found bool, err error) {
	if anew {
		err = b.reload(ctx)
	} else {
		err = b.load(ctx)
	}
	if err != nil {
		return Keep{}, false, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	keep, found = b.locked.keeps[key]
	return keep, found, nil
}

// Remembered is what Kept has found, without I/O. known is false where the Book was not read yet.
func (b *Brake) Remembered(key types.NamespacedName) (keep Keep, found, known bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	keep, found = b.locked.keeps[key]
	return keep, found, b.locked.loaded
}

// Inherited strikes out what a Machine of a name has taken over. The errors are the supervisor's.
func (b *Brake) Inherited(ctx context.Context, key types.NamespacedName) error {
	b.mu.Lock()
	keep, found := b.locked.keeps[key]
	b.mu.Unlock()
	if !found {
		return nil
	}
	if err := b.options.Book.entries().Set(ctx, map[string]any{keep.bookKey(): nil}); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.locked.keeps, key)
	return nil
}

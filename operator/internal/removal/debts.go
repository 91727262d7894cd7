package removal

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/entries"
)

// Debt is what is left to be deleted of a Machine that is gone, or that goes on in another cluster:
// the VirtualMachine of the ledger with its disks, and no other.
type Debt struct {
	// Machine is the name that the Machine had; it was in the ledger's namespace.
	Machine string `json:"machine"`
	// UID is the Machine's.
	UID types.UID `json:"uid"`
	// Ledger says where it was placed.
	Ledger vitistackv1alpha1.Ledger `json:"ledger"`
	// Disks go with the VirtualMachine. They are known once its deletion has begun.
	Disks vitistackv1alpha1.DiskRecord `json:"disks,omitempty"`
	// Move is the ID of the move that left it behind, "" where the Machine was let go. Fence is that of
	// the VirtualMachine when its disks were copied.
	Move  string `json:"move,omitempty"`
	Fence string `json:"fence,omitempty"`
	// Late is until when the VirtualMachine may still arrive, zero where it is known by its UID: a call that
	// was cut off goes on in its API server. A debt is not paid before.
	Late time.Time `json:"late,omitzero"`
}

// LateCreation is how long after its Machine went a creation may still arrive. An API server gives
// a request a minute (--request-timeout), webhooks included.
const LateCreation = 2 * time.Minute

// Fence tells one stop of a VirtualMachine by a move from every other: by the token that the move
// wrote down, and by the metadata.generation that it had then.
func Fence(token string, generation int64) string {
	return token + "." + strconv.FormatInt(generation, 10)
}

// key is where a debt stands in the ConfigMap.
func (d Debt) key() string {
	if d.Move == "" {
		return string(d.UID)
	}
	return string(d.UID) + "." + d.Move
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
	texts, err := b.entries().Read(ctx)
	if err != nil {
		return nil, err
	}
	var debts []Debt
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		if strings.HasPrefix(key, vitistackv1alpha1.TombstonePrefix) {
			continue
		}
		debt, err := parseDebt(key, texts[key])
		if err != nil {
			log.FromContext(ctx).Error(err, "Found a debt that cannot be read", "configMap", vitistackv1alpha1.DebtsConfigMap,
				"key", key)
			continue
		}
		debts = append(debts, debt)
	}
	return debts, nil
}

func parseDebt(key, text string) (Debt, error) {
	var debt Debt
	if err := json.Unmarshal([]byte(text), &debt); err != nil {
		return Debt{}, err
	}
	if debt.key() != key {
		return Debt{}, fmt.Errorf("the entry of %s is another Machine's", key)
	}
	return debt, debt.Ledger.Validate()
}

// Owe writes a debt down, over an earlier one of the same Machine. A debt of a move is written
// together with the tombstone of its VirtualMachine.
func (b Book) Owe(ctx context.Context, debt Debt) error {
	text, err := json.Marshal(debt)
	if err != nil {
		return err
	}
	values := map[string]any{debt.key(): string(text)}
	if debt.Move != "" {
		grave := GraveOf(debt)
		values[grave.key()] = grave.String()
	}
	return b.entries().Set(ctx, values)
}

// Paid strikes a debt out.
func (b Book) Paid(ctx context.Context, debt Debt) error {
	return b.entries().Set(ctx, map[string]any{debt.key(): nil})
}

// entries are those of the ConfigMap: debts and tombstones.
func (b Book) entries() entries.Map {
	return entries.Map{Writer: b.Writer, Server: b.Server,
		Key: client.ObjectKey{Namespace: b.Namespace, Name: vitistackv1alpha1.DebtsConfigMap}}
}

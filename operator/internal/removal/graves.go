package removal

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

const (
	// graveTime is how long a tombstone stands: longer than a backup of etcd is of use to anybody.
	graveTime = 90 * 24 * time.Hour
	// maxGraves is how many fit into the ConfigMap beside the debts. The oldest ones make way.
	maxGraves = 2000
)

// Grave remembers a VirtualMachine that must never run again, because its Machine was moved away. A
// restored backup of its cluster brings it back.
type Grave struct {
	// VMUID is the VirtualMachine's.
	VMUID types.UID `json:"-"`
	// Config, ClusterUID, Namespace and Name say where it was.
	Config     string `json:"config"`
	ClusterUID string `json:"clusterUID"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
	// Machine is the name of the Machine, in the same namespace.
	Machine string `json:"machine"`
	// At is when it was dug, in seconds since 1970.
	At int64 `json:"at"`
}

// GraveOf is the grave of what a debt names.
func GraveOf(debt Debt) Grave {
	l := debt.Ledger
	return Grave{VMUID: types.UID(l.VMUID), Config: l.Config, ClusterUID: l.ClusterUID, Namespace: l.Namespace,
		Name: l.VMName, Machine: debt.Machine, At: time.Now().Unix()}
}

func (g Grave) key() string { return vitistackv1alpha1.TombstonePrefix + string(g.VMUID) }

// String is the JSON form, without the UID, which is the key.
func (g Grave) String() string {
	text, err := json.Marshal(g)
	if err != nil { // cannot happen: a struct of strings always encodes
		return ""
	}
	return string(text)
}

// Graves returns all graves by the UIDs of their VirtualMachines. What cannot be read is left out.
func (b Book) Graves(ctx context.Context) (map[types.UID]Grave, error) {
	texts, err := b.entries().Read(ctx)
	if err != nil {
		return nil, fmt.Errorf("reading the tombstones: %w", err)
	}
	graves := map[types.UID]Grave{}
	for key, text := range texts {
		uid, isGrave := strings.CutPrefix(key, vitistackv1alpha1.TombstonePrefix)
		grave := Grave{VMUID: types.UID(uid)}
		if isGrave && json.Unmarshal([]byte(text), &grave) == nil {
			graves[grave.VMUID] = grave
		}
	}
	return graves, nil
}

// Bury writes a grave down, and lets those go that have stood too long or are too many. known are
// the graves that there are.
func (b Book) Bury(ctx context.Context, grave Grave, known map[types.UID]Grave) error {
	values := map[string]any{grave.key(): grave.String()}
	for _, old := range spent(known, grave.At) {
		values[old.key()] = nil
	}
	return b.entries().Set(ctx, values)
}

// spent are the graves that may go: those older than graveTime, and the oldest of too many.
func spent(known map[types.UID]Grave, now int64) []Grave {
	byAge := slices.SortedFunc(maps.Values(known), func(a, b Grave) int {
		return cmp.Or(cmp.Compare(b.At, a.At), cmp.Compare(a.VMUID, b.VMUID))
	})
	for i, grave := range byAge {
		if i >= maxGraves-1 || now-grave.At > int64(graveTime/time.Second) {
			return byAge[i:]
		}
	}
	return nil
}

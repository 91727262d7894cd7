package brake

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/entries"
)

// Book is the ConfigMap with the deletions that were let go, and with the VirtualMachines that people
// kept. Its methods are safe for concurrent use, by several processes too.
type Book struct {
	// Writer writes to the supervisor, Server reads it past the cache.
	Writer client.Client
	Server client.Reader
	// Namespace is that of the KubevirtConfigs.
	Namespace string
}

// Entry is a deletion that was let go.
type Entry struct {
	At        time.Time `json:"at"`
	Config    string    `json:"config"`
	Namespace string    `json:"namespace"`

	written bool // it stands in the Book
}

// String is the value in the Book.
func (e Entry) String() string {
	text, _ := json.Marshal(e) //nolint:errchkjson // two strings and a time are always JSON
	return string(text)
}

// page is what the Book says.
type page struct {
	letGo map[types.UID]Entry
	keeps map[types.NamespacedName]Keep
}

// read reads the Book. What cannot be read is left out and logged.
func (b Book) read(ctx context.Context) (page, error) {
	found := page{letGo: map[types.UID]Entry{}, keeps: map[types.NamespacedName]Keep{}}
	texts, err := b.entries().Read(ctx)
	if err != nil {
		return found, err
	}
	for _, key := range slices.Sorted(maps.Keys(texts)) {
		if err := found.add(key, texts[key]); err != nil {
			log.FromContext(ctx).Error(err, "Found an entry that cannot be read", "configMap",
				vitistackv1alpha1.DeletionsConfigMap, "key", key)
		}
	}
	return found, nil
}

func (p *page) add(key, text string) error {
	if uid, kept := strings.CutPrefix(key, vitistackv1alpha1.KeptPrefix); kept {
		var keep Keep
		if err := json.Unmarshal([]byte(text), &keep); err != nil {
			return fmt.Errorf("a kept VirtualMachine: %w", err)
		}
		keep.Machine = types.UID(uid)
		p.keeps[keep.key()] = keep
		return nil
	}
	var entry Entry
	if err := json.Unmarshal([]byte(text), &entry); err != nil {
		return fmt.Errorf("a deletion: %w", err)
	}
	p.letGo[types.UID(key)] = entry
	return nil
}

// entries are those of the ConfigMap: what was let go and what was kept.
func (b Book) entries() entries.Map {
	return entries.Map{Writer: b.Writer, Server: b.Server,
		Key: client.ObjectKey{Namespace: b.Namespace, Name: vitistackv1alpha1.DeletionsConfigMap}}
}

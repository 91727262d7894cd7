// Package entries keeps a ConfigMap of entries that several processes write side by side.
//
//	err := entries.Map{Writer: supervisor, Server: live, Key: key}.Set(ctx, map[string]any{name: text})
//
// A write touches the entries that it names and no other, so that nobody has to read before.
package entries

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Map is the ConfigMap. It is safe for concurrent use, by several processes too.
type Map struct {
	// Writer writes to the supervisor, Server reads it past the cache.
	Writer client.Client
	Server client.Reader
	// Key is the ConfigMap's namespace and name.
	Key client.ObjectKey
}

// Read returns all entries. A ConfigMap that is not there has none. The errors are the API server's.
func (m Map) Read(ctx context.Context) (map[string]string, error) {
	found := &corev1.ConfigMap{}
	if err := m.Server.Get(ctx, m.Key, found); err != nil {
		return nil, client.IgnoreNotFound(err)
	}
	return found.Data, nil
}

// Set sets entries, and removes those whose value is nil. It makes the ConfigMap where that is not
// there and something is to be set. The errors are the API server's.
func (m Map) Set(ctx context.Context, values map[string]any) error {
	text, err := json.Marshal(map[string]any{"data": values})
	if err != nil {
		return err
	}
	patch := client.RawPatch(types.MergePatchType, text)
	object := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: m.Key.Namespace, Name: m.Key.Name}}
	err = m.Writer.Patch(ctx, object.DeepCopy(), patch)
	if missing := err != nil && client.IgnoreNotFound(err) == nil; !missing {
		return err
	}
	if !slices.ContainsFunc(slices.Collect(maps.Values(values)), func(v any) bool { return v != nil }) {
		return nil
	}
	if err := client.IgnoreAlreadyExists(m.Writer.Create(ctx, object.DeepCopy())); err != nil {
		return err
	}
	return m.Writer.Patch(ctx, object, patch)
}

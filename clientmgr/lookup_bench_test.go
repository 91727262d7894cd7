package clientmgr

import (
	"fmt"
	"testing"
)

// BenchmarkLookup prints what finding a client costs: by name, by a machine without and with a
// ledger, and where there is none.
func BenchmarkLookup(b *testing.B) {
	for _, clusters := range []int{1, 8, 500} {
		m := connectedManager(b, clusters)
		down := newCluster("down", wish{}, m.options)
		known := *m.clusters.Load()
		known["down"] = down
		ctx, name := b.Context(), fmt.Sprintf("cluster-%d", clusters-1)
		machine := placed(name, fmt.Sprintf("uid-%d", clusters-1))
		for what, look := range map[string]func() error{
			"config":  func() error { _, err := m.GetClientForConfig(ctx, name); return err },
			"machine": func() error { _, _, err := m.GetOrCreateClientFromMachine(ctx, machine); return err },
			"down":    func() error { _, _ = m.GetClientForConfig(ctx, "down"); return nil },
			"live":    func() error { _, _ = m.Live(name); return nil },
		} {
			b.Run(fmt.Sprintf("clusters=%d/%s", clusters, what), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := look(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

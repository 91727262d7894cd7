package observer

import (
	"strings"
	"testing"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

func TestUnbounded(t *testing.T) {
	broken := []string{"I16 machines shop/web"}
	event := func(n *tale, about, note string) {
		n.put(fleet.Supervisor, events, "shop", "web.1", "event", 1, map[string]any{"note": note,
			"regarding": map[string]any{"apiVersion": about}})
	}
	judge(t, unbounded, map[string]situation{
		"a message of two lines": {
			reason: "lines may end",
			tell: func(n *tale) {
				n.machine(1, says("False", "RemoteRefused", "quota exceeded:\n10 of 10 are used – ask"))
			},
		},
		"a message that steers a terminal": {
			reason: "a server put an escape into its answer",
			tell:   func(n *tale) { n.machine(1, says("False", "RemoteRefused", "quota \x1b[2J exceeded")) },
			want:   broken,
		},
		"a long message": {
			reason: "a server's answer was taken whole",
			tell:   func(n *tale) { n.machine(1, says("False", "RemoteRefused", strings.Repeat("no ", 2000))) },
			want:   broken,
		},
		"many short texts": {
			reason: "each is short and together they are not",
			tell: func(n *tale) {
				n.machine(1, func(m *vitistackv1alpha1.Machine) {
					for range 5000 {
						m.Status.IPAddresses = append(m.Status.IPAddresses, "192.0.2.123, 255.255")
					}
				})
			},
			want: broken,
		},
		"many conditions": {
			reason: "each pass has added one",
			tell: func(n *tale) {
				n.machine(1, func(m *vitistackv1alpha1.Machine) {
					m.Status.Conditions = make([]vitistackv1alpha1.MachineCondition, 40)
				})
			},
			want: broken,
		},
		"an Event of a Machine": {
			reason: "the same holds for Events",
			tell:   func(n *tale) { event(n, "vitistack.io/v1alpha1", "bell\a") },
			want:   []string{"I16 events shop/web.1"},
		},
		"an Event of something else": {
			reason: "Kubernetes' own Events are not the operator's",
			tell:   func(n *tale) { event(n, "v1", "bell\a") },
		},
	})
}

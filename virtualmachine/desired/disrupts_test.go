package desired_test

import (
	"testing"

	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// TestDisrupts: which changes end a guest that runs, and which ones it gets by a restart alone.
func TestDisrupts(t *testing.T) {
	last := desired.Wish{Class: "small", Cores: 1, Memory: 1 << 30, RunStrategy: "Always", CloudInit: "a",
		Disks: map[string]int64{"root": 20}, Interfaces: []string{"a", "b"}}
	for name, tc := range map[string]struct {
		reason         string
		change         func(*desired.Wish)
		stops, restart bool
	}{
		"Nothing": {reason: "What stays as it was disturbs nobody.", change: func(*desired.Wish) {}},
		"Halted": {reason: "Halted stops the guest.", stops: true,
			change: func(w *desired.Wish) { w.RunStrategy = "Halted" }},
		"Manual": {reason: "Another strategy lets the guest run on.",
			change: func(w *desired.Wish) { w.RunStrategy = "Manual" }},
		"Size": {reason: "A size needs a restart.", restart: true,
			change: func(w *desired.Wish) { w.Memory = 2 << 30 }},
		"Instancetype": {reason: "So does an instancetype.", restart: true,
			change: func(w *desired.Wish) { w.Instancetype = "u1" }},
		"CloudInit": {reason: "cloud-init is read at the start.", restart: true,
			change: func(w *desired.Wish) { w.CloudInit = "b" }},
		"Interface": {reason: "An interface more needs a restart.", restart: true,
			change: func(w *desired.Wish) { w.Interfaces = []string{"a", "b", "c"} }},
		"Order": {reason: "The order of interfaces has no meaning.",
			change: func(w *desired.Wish) { w.Interfaces = []string{"b", "a"} }},
		"Disk": {reason: "A disk more needs a restart.", restart: true,
			change: func(w *desired.Wish) { w.Disks = map[string]int64{"root": 20, "data": 5} }},
		"Grows": {reason: "A disk that grows does not.",
			change: func(w *desired.Wish) { w.Disks = map[string]int64{"root": 30} }},
		"Class": {reason: "Another class of the same size changes nothing in the guest.",
			change: func(w *desired.Wish) { w.Class = "tiny" }},
	} {
		t.Run(name, func(t *testing.T) {
			now := last
			tc.change(&now)
			if now.Stops(last) != tc.stops || now.NeedsRestart(last) != tc.restart {
				t.Errorf("%s Stops %t, NeedsRestart %t", tc.reason, now.Stops(last), now.NeedsRestart(last))
			}
		})
	}
	halted := last
	halted.RunStrategy = "Halted"
	if halted.Stops(halted) || last.Stops(halted) {
		t.Error("a guest that is off is stopped")
	}
}

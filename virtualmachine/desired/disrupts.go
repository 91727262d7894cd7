package desired

import (
	"maps"
	"slices"

	kubevirtv1 "kubevirt.io/api/core/v1"
)

// Stops says whether a change from the last wish stops a guest that runs.
func (w Wish) Stops(last Wish) bool {
	const halted = string(kubevirtv1.RunStrategyHalted)
	return w.RunStrategy == halted && last.RunStrategy != halted
}

// NeedsRestart says whether a change from the last wish reaches a guest that runs only when that is
// started anew: its size, its firmware's preferences, its devices, or its cloud-init. A disk that grows
// and a run strategy do not.
func (w Wish) NeedsRestart(last Wish) bool {
	size := func(w Wish) [4]int64 {
		return [4]int64{int64(w.Cores), int64(w.Sockets), int64(w.Threads), w.Memory}
	}
	disks := func(w Wish) []string { return slices.Sorted(maps.Keys(w.Disks)) }
	return size(w) != size(last) || w.Instancetype != last.Instancetype || w.Preference != last.Preference ||
		w.CloudInit != last.CloudInit || !sameNames(w.Interfaces, last.Interfaces) || !slices.Equal(disks(w), disks(last))
}

// Package wake says what wakes a Machine and what lets it rest.
//
// Sources and indexes (sources.go) turn events into Machines. Rest (rest.go) remembers what a
// finished reconcile has read: while the same reads give the same versions, another reconcile would
// do nothing, and is skipped. Streaks (streak.go) counts failed attempts of a Machine and spaces
// them: 1 second, doubling to 5 minutes. Watcher (watcher.go) knows which Machines cannot have a
// virtual machine yet. Rush (rush.go) lets guests go before books. Arrivals (arrivals.go) tell how old
// the news is that a status shows.
//
// # Order and price
//
// A skipped reconcile costs one cached read for each object that the last one read. A write of the
// operator wakes its own Machine once more; the versions are those that the write returned, so that
// the extra reconcile is skipped too. A write of anybody else has another version.
package wake

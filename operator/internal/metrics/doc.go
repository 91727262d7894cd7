// Package metrics has the operator's own metrics of Machines, for Prometheus: how many there are
// (Census), how long they take and what fails (Machines), and how moves go (Moves). Labels are
// bounded: a cluster is one that the client manager knows, a reason one of the API's, and no Machine
// has a series of its own.
//
//	machines := metrics.NewMachines(known, watcher.Since)
//	registry.MustRegister(machines, metrics.NewCensus(mgr.GetCache(), mgr.Elected(), known))
//
// At rest nothing here does anything but for a scrape. The series of a cluster end with its
// KubevirtConfig, at the next scrape.
package metrics

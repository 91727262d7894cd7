// Package observed says what the status of a Machine is, from what a reconcile found out.
//
//	status := observed.Status(observed.Input{
//		Machine: machine, Ledger: ledger, Applied: true, Reached: observed.StepObserve,
//		Looked: true, VM: vm, VMI: vmi, Network: network, Now: now,
//	})
//	if observed.Changed(machine.Status, status) {
//		// write it
//	}
//
// It is the one place where a status comes from: of Machines that run, that wait, that a person
// must help, and that cannot be reached. Phase and the condition Ready are functions of everything
// else.
//
// # What it guarantees
//
// Everything here is a pure function: values in, values out. There is no I/O, no clock and no log;
// no argument is changed, and no result shares memory with one. Where nothing changed the result is
// the status that the Machine has, to the last field, so that there is nothing to write. Ready is
// True only of a generation that was applied. Whatever a guest, a remote server or an operator of
// addresses says is bounded and has no control characters. All functions are safe for concurrent
// use.
//
// # How it works
//
// Begin with status.go. report.go sorts the problems by what their reasons mean, which is one row
// for each in package v1alpha1; hold.go leaves out what is too young to be told. verdict.go reads
// what KubeVirt and CDI say, network.go what addresses say. conditions.go, ready.go and phase.go
// write it down. warning.go says which of it becomes an Event. trim.go keeps in a cache only what
// that reads.
//
// # What was traded away
//
// A silent guest on a DHCP network is Ready without a known address, because nobody can ask it.
// What Events have said is not in the status: a new leader takes what is older than the hold for
// told.
package observed

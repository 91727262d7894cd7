// Package observed says what the status of a Machine is, from what a reconcile found out.
//
//	status := observed.Status(observed.Input{
//		Machine: machine, Ledger: ledger, Reached: observed.StepObserve, Looked: true, VM: vm, VMI: vmi, Now: now,
//	})
//
// It is the one place where a status comes from: of Machines that run, that wait, that a person must help, and that cannot be reached.
// Phase and the condition Ready are functions of everything else.
//
// Everything here is a pure function: values in, values out. There is no I/O, no clock and no log; no argument is changed, and no
// result shares memory with one. Where nothing changed the result is the status that the Machine has, to the last field, so that there
// is nothing to write. All functions are safe for concurrent use.
package observed

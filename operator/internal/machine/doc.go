// Package machine turns Machines of the supervisor cluster into VirtualMachines of remote clusters.
//
//	reconciler := machine.NewMachineReconciler(
//		mgr.GetClient(), mgr.GetScheme(), clientManager, machine.WithPlacement(host))
//	err := reconciler.SetupWithManager(mgr, machine.ControllerOptions{})
//
// One reconcile is one pass through the steps of steps.go, in their order; each looks before it
// acts. What the steps met becomes one status, by package observed, written once at the end.
//
// # Guarantees
//
// Before anything is made in a remote cluster, the place is recorded in the Machine's ledger by a
// patch that fails if the Machine was changed meanwhile. From then on the ledger alone says where
// the VirtualMachine is. A VirtualMachine is created only after a live answer that there is none,
// by its name and by the Machine's UID; silence of a cluster is never taken for such an answer.
// Nothing is changed or deleted that does not carry this supervisor's and this Machine's UID, or
// whose UID is not in the ledger.
package machine

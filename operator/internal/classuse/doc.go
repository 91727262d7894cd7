// Package classuse writes into the status of each MachineClass how many Machines have their size from
// it, and how many of these differ from what it gives now.
//
//	counter := classuse.New(supervisor, classuse.Options{Machines: cache})
//	err := counter.SetupWithManager(mgr)
//
// # Guarantees
//
// It changes no Machine. A status is written only where a number is another one, and all of them at
// most each ten seconds. Where nothing changes nothing is done.
//
// A definition of others may not keep the numbers. That is seen in the server's answer, and that class
// is not written again by this process.
package classuse

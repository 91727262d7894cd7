// Package assess answers for one Machine in which clusters it can run: it derives what the Machine
// needs, has the facts of the clusters gathered, and lets package readiness judge.
//
//	assessor := assess.New(remotes, assess.Options{Supervisor: cache, Live: live, Settings: settings})
//	reports, err := assessor.All(ctx, machine)
//
// A Machine with a virtual machine needs what that has: its size, disks, claims and devices. One
// without needs what the operator would make. It writes nothing, and asks only when it is called.
package assess

// Package observer watches a whole fleet from outside the operator, and says which of the invariants
// of docs/invariants.md was broken.
//
//	o, err := observer.New(ctx, f, observer.Options{}) // a fleet that was started with Audit
//	defer o.Close()
//	… a step of a test …
//	violations, err := o.Check(ctx)                     // what is new since the last Check
//	… the faults end …
//	violations = o.Converged(ctx, time.Minute)
//
// It knows nothing of the operator's code. It lists and watches all clusters as their administrator,
// past the proxies, and reads the audit logs of their API servers. What it saw becomes values, and
// each rule is a function of these values: twins.go has I1, writes.go I2, and so on; rules.go lists
// them. Open that first.
//
// A goroutine for each kind in each cluster writes to the history, and another one notes each tenth
// of a second which clusters are in trouble. Check and Converged read copies of it. A follower whose
// API server is killed or restored lists again: until then it claims nothing about what it cannot
// see. An object that a restored etcd brought back is known by its UID, and the operator gets a time
// to deal with it that begins when it can.
//
// Watches of several clusters are not ordered among each other, and an audit log has no UIDs.
// Whatever rests on the order of events of different sources allows for Options.Skew, in favour of
// the operator: what is shorter than that is not seen.
//
// What it does not check: I8 (a kubeconfig that is refused leads nowhere, so that nothing can be
// seen), for I9 whether an unlabelled VirtualMachine was searched for everywhere, and what a class
// gave to a Machine when its VirtualMachine was made.
package observer

// Package custody decides what belongs to a Machine. It is pure: it takes values, returns values,
// and knows no client, clock or log.
//
//	found := custody.Case{Machine: subject, Record: record, Looks: looks}.Find()
//	switch found.Is { case custody.Yours: … case custody.Absent: … case custody.Undecided: … case custody.Refused: … }
//
// Creating, adopting, changing, deleting, paying a debt and explaining all ask this package. No
// other place compares owners.
//
// # The rule
//
// Labels find candidates. Only the record makes a VirtualMachine the Machine's own: by cluster UID
// and object UID, and until that UID is known by cluster UID, name and nonce. An object that
// carries the Machine's labels without being named by the record is a copy. A copy belongs to the
// person who made it: it is never changed, deleted or taken for the Machine's.
//
// A record counts only if something confirms it that its author could not write: the operator's
// finalizer together with the status, or the labels and the nonce of the VirtualMachine itself. An
// unconfirmed record is a request like any other reference to a cluster.
//
// # Order
//
// Open relation.go first: it says how one VirtualMachine relates to one Machine. find.go judges a
// placed Machine, place.go one that is about to be placed, record.go the record itself.
package custody

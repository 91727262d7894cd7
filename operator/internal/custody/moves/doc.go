// Package moves decides the next step of a move of a Machine from one cluster to another. It is
// pure: it takes the record and what both clusters showed, and returns one act. Whoever does the act
// looks again afterwards, so that a process may end before or after any of them.
//
//	next := moves.Case{Record: record, Wish: wish, Source: source, Target: target}.Next()
//	switch next.Act { case moves.Stop: … case moves.Make: … case moves.Commit: … }
//
// # The protocol
//
// Begun: the source is stopped, and a token of that stop with the metadata.generation that it has
// then is its fence. Its disks are offered, and a VirtualMachine is made at the target that stays
// off and carries that fence. When all disks are copied while the source is still off and has the
// same fence, the move is committed.
//
// Committed: the Machine is at the target. Its VirtualMachine is started by lifting the fence; where
// somebody started the source before that, the fence is withdrawn and the Machine goes back. When
// the guest runs, the source's VirtualMachine is remembered (its tombstone) and deleted.
//
// Aborting: what was made at the target is deleted while the source is seen to be there, and then
// the source is started again.
//
// The tests explore every order of writes, crashes, silences, restored backups and people's hands,
// with the judge in them that is in use.
package moves

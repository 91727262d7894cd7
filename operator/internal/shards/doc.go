// Package shards shares the clusters of a fleet out among processes, so that each keeps the
// connections of a part of them.
//
// A cluster belongs to the shard that the hash of its KubevirtConfig's name gives; Share (share.go)
// says what is of the shard that this process holds. A Machine is looked after where its cluster is
// connected; one that has no place and names none, by the first shard. Lock (lock.go) is a lock for
// an election in which each process wins one shard, and those that win none stand by.
//
// # What a share is for
//
// A share saves connections, and no invariant rests on it. For a moment two processes may both hold
// a shard, and both look after a Machine: they are as safe as two operators of which one has lost its
// lease without knowing, by the record in the Machine and its resourceVersion. Clusters of other
// shards are connected while a Machine needs them: to look for its virtual machine, or to move there.
package shards

// Package crdcheck tells whether the CustomResourceDefinitions of clusters are the ones that a
// program was written for.
//
// A [Snapshot] says what is known of one cluster. Three questions can be asked of snapshots:
//
//	report := crdcheck.Require(snapshot, requirements) // are the fields there that I use?
//	report := crdcheck.Compare(old, new, options)      // what changed, and who feels it?
//	report := crdcheck.Fleet(snapshots, names)         // do the clusters agree with each other?
//
// All of them look at schemas as [Normalize] returns them. Package admit answers a fourth: would
// this cluster accept the objects that I write, and keep them?
//
// The answer is a [Report]: what was looked at, and a [Finding] for each thing that is not as it
// should be. Package render writes it for people.
//
// Guarantees: everything is a pure function of its arguments, which are neither changed nor kept.
// Equal input gives equal output, byte for byte, in whatever order the input comes. What could not
// be read is reported as unknown, never as absent and never as equal. Descriptions, and the order
// of what has none, make no difference. There is no logger and no global state; all functions are
// safe for concurrent use.
package crdcheck

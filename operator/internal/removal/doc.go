// Package removal deletes what the record of a Machine names, and nothing else: one VirtualMachine
// by its UID, and the disks that it owned or referred to by theirs.
//
// # Order
//
// The UIDs of the disks are written down before the VirtualMachine is deleted (disks.go), because
// afterwards only labels would be left to find them by, and copies carry the same labels. The
// VirtualMachine goes next (vm.go). Addresses are given up last, when no guest can use them. What a
// silent cluster keeps can be owed (debts.go): the debt names cluster and VirtualMachine by UID and
// is paid when the cluster answers.
package removal

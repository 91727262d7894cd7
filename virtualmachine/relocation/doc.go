// Package relocation makes, from a VirtualMachine in one cluster, the same one for another. It is
// pure.
//
//	if err := relocation.Movable(vm, instance); err != nil { … } // what cannot go, and what helps
//	target, err := relocation.VirtualMachine(relocation.Input{VM: vm, Claims: claims, URLs: urls, …})
package relocation

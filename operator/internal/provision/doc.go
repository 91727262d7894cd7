// Package provision makes and changes what a Machine asks for: its networks, its namespace, its
// disks and its VirtualMachine.
//
// Each function looks before it acts, can be repeated, and returns a *problem.Problem where it
// cannot go on. None decides whose an object is: the judge (package custody) has done so before.
//
// # Order
//
// Networks come before the VirtualMachine, because KubeVirt reads a NetworkAttachmentDefinition
// only when a guest starts. The labels of an adopted VirtualMachine come before everything that can
// be refused, so that nothing is ever half adopted.
package provision

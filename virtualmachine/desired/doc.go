// Package desired says what a Machine should look like outside of its own object: the
// VirtualMachine with its disks, the Secret with its cloud-init data, the NetworkConfigurations and
// the NetworkAttachmentDefinitions.
//
// A reconcile asks it in this order:
//
//	record, err := desired.Attach(desired.AttachInput{...}) // record it first
//	for _, name := range desired.NetworkConfigurationNames(record) {
//		nc, err := desired.NetworkConfiguration(desired.NetworkConfigurationInput{...}) // write it to the supervisor
//	}
//	for _, attachment := range record.Attachments {
//		nad, err := desired.NetworkAttachmentDefinition(namespace, attachment, options) // create it where it is absent
//	}
//	wish, err := desired.NewWish(desired.Input{...}, last) // the text that is applied already: nothing to do
//	sources, err := desired.CloudInitSources(machine) // read what they name
//	init, err := desired.NewCloudInit(desired.CloudInitInput{...}) // may say Wait
//	err = desired.CheckStorageClasses(machine, classes, last, options)
//	vm, err := desired.VirtualMachine(desired.Input{...}) // create it in the remote cluster, or:
//	parts, err := desired.Change{...}.Parts() // patch it there
//
// # Guarantees
//
// Everything here is a pure function: values in, values out. There is no I/O, no clock, no
// randomness and no log; no argument is changed, and no result shares memory with an argument. The
// same input always gives the same output. All functions are safe for concurrent use.
//
// There are two errors with a meaning. A [*Refusal] says that a person must change something. A
// [*Wait] says that another operator has not done its part yet, and will. Any other error is a
// mistake of the caller.
//
// # How it works
//
// Begin with attach.go for networks, virtualmachine.go for what is created, and wish.go and
// change.go for what is changed later.
//
// What was decided once is read from then on. The network record holds each interface with its
// network and address, and the wish on the VirtualMachine holds the size that a class gave. A
// NetworkNamespace or a MachineClass that changes afterwards changes no VirtualMachine; only the
// Machine's own change does.
//
// A change is made of the paths in which two wishes differ, and not of the difference between two
// objects. People and tools may therefore change every other field, and their change stays. The
// price is that a field of ours that a person changed is not corrected.
package desired

// Package desired says what a Machine should look like outside of its own object: the VirtualMachine with its disks, the Secret with
// its cloud-init data, the NetworkConfiguration and the NetworkAttachmentDefinition.
//
// A reconcile asks it in this order:
//
//	attachments, err := desired.Attachments(machine, networkNamespaces)
//	for _, network := range desired.NetworkNamespaces(attachments) {
//		one, err := desired.NetworkConfiguration(desired.NetworkConfigurationInput{...}) // write it to the supervisor
//		nc = desired.AddInterfaces(nc, one)
//	}
//	sources, err := desired.CloudInitSources(machine)                               // read what they name
//	init, err := desired.NewCloudInit(desired.CloudInitInput{...})                  // may say Wait
//	vm, err := desired.VirtualMachine(desired.Input{...})                           // write it to the remote cluster
//
// Everything here is a pure function: values in, values out. There is no I/O, no clock, no randomness and no log; no argument is
// changed, and no result shares memory with one. The same input always gives the same output, so that a hash of it ([Hash]) tells
// whether there is something to write. All functions are safe for concurrent use.
//
// There are two errors with a meaning. A [*Refusal] says that a person must change something. A [*Wait] says that somebody else has
// not done their part yet, and will. Any other error is a mistake of the caller.
package desired

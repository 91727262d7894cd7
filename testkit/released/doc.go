// Package released has objects that earlier versions of the operator wrote, for tests that a newer
// version takes them over without a change to a running virtual machine.
//
//	supervisor, remote := released.Objects(t)
//	c := fake.NewClientBuilder().WithScheme(scheme).WithObjects(supervisor...).Build()
//
// The objects are as the API servers returned them, with their UIDs, labels, annotations, owner
// references and status. README.md says how they were made and what each Machine stands for. No
// test may change the files: a version that was given out cannot write anything else any more.
package released

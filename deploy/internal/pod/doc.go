// Package pod runs an image in a test as a kubelet would: in a root file system that cannot be
// written, as the user of the image, without a capability, and with volumes mounted into it.
//
//	func TestMain(m *testing.M) {
//		pod.Main() // here the process becomes the container
//		os.Exit(m.Run())
//	}
//
//	err := pod.Unpack(image, root)
//	command, err := pod.Container{Root: root, Args: args, Mounts: mounts}.Command(t.Context())
//	err = command.Start()
//
// The process has a mount namespace of its own, so that nothing has to be unmounted. It shares the
// network and the processes of the machine. There is no seccomp filter: the chart asks the runtime
// for its default one. All of this needs root.
package pod

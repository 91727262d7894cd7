// Package installation installs the operator as a person does, and holds what was installed to
// what people rely on. It has tests alone: the chart is installed by Helm on a real API server, the image
// runs there with the rights of the chart and nothing else, and makes a virtual machine in a remote
// cluster.
//
// Open install_test.go first: its steps are the life of an installation.
package installation

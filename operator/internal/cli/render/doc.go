// Package render shows the VirtualMachine that a Machine becomes, before anything is applied.
//
//	root.AddCommand(render.Command())
//
// It is made by the functions with which the operator makes it (package desired), from a file and
// the environment alone. Only --against asks a cluster, for its definitions; what they would make
// of the VirtualMachine is judged here, by package admit. Nothing is written to any cluster.
package render

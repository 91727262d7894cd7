// Package materials writes software bills of materials: which modules programs were built from, by
// what the Go compiler wrote into them.
//
//	bill, err := materials.Bill(materials.Subject{Identifier: "Image", Name: "kubevirt-operator", Version: "v0.1.0"},
//		[]string{"dist/operator"})
package materials

// Package vitals says what this process measured of a cluster: how long its last probe took, and
// how much room it has.
//
//	measured := vitals.New(remotes, vitals.Options{})
//	row.Vitals = measured.Of("cluster-east")
//
// Probes are made anyway. Room costs the cluster a list of its nodes and pods, so that it is asked
// for only when Of is called, at most every five minutes and beside the caller, and it takes rights
// that a kubeconfig need not have.
package vitals

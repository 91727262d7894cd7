// Package view makes of KubevirtConfigs and Machines what a person reads of them: rows of values.
// It is pure. Words about states and reasons are those of the conditions, so that the page says
// what kubectl says.
//
//	fleet := view.Fleet{Clusters: clusters, Machines: machines}
//	fleet.Complete(nil)
//
// No row has anything of a Secret, an address of an API server or a part of a kubeconfig: rows are
// made from status, conditions and names alone. Texts are cut at MaxText, lists at MaxList, because
// others than the operator can write a status.
package view

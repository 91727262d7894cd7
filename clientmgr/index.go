package clientmgr

import (
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

const (
	// IndexConfig is the index of a supervisor's cache that finds Machines by the KubevirtConfig of
	// their ledger, and of the other side of a move that is under way; ByConfig makes it.
	IndexConfig = "placement.config"
	// Unplaced is where IndexConfig has the Machines without a ledger that can be read. No
	// KubevirtConfig can have this name.
	Unplaced = "-"
)

// ByConfig is the client.IndexerFunc of IndexConfig. The metadata of a Machine is enough for it.
func ByConfig(object client.Object) []string {
	ledger, err := vitistackv1alpha1.LedgerOf(object)
	if err != nil {
		return []string{Unplaced}
	}
	record, moving, err := vitistackv1alpha1.MoveRecordOf(object)
	if !moving || err != nil {
		return []string{ledger.Config}
	}
	return []string{record.From.Config, record.To.Config}
}

package observed

import (
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// ProviderID identifies a VirtualMachine over all remote clusters:
// kubevirt://<KubevirtConfig>/<namespace>/<name>.
func ProviderID(ledger vitistackv1alpha1.Ledger) string {
	return vitistackv1alpha1.ProviderKubevirt + "://" + ledger.Config + "/" + ledger.Namespace + "/" + ledger.VMName
}

// setPlace copies the ledger into the status. Without a ledger that can be trusted the copy stays:
// it may be the last that is left.
func (r *report) setPlace(status *vitistackv1alpha1.MachineStatus) {
	if !r.trusted {
		return
	}
	status.KubevirtConfigRef = &vitistackv1alpha1.KubevirtConfigReferenceStatus{Name: r.Ledger.Config,
		ClusterUID: r.Ledger.ClusterUID}
	status.VMName = r.Ledger.VMName
	if r.vm != nil || r.Ledger.VMUID != "" {
		status.ProviderID = ProviderID(*r.Ledger)
	}
}

package view

import (
	"cmp"
	"slices"
	"time"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Machine is a row about a Machine.
type Machine struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Phase     string `json:"phase"`
	State     string `json:"state,omitempty"`
	// Cluster, VM and Node are where it is; "" where it is nowhere yet.
	Cluster string `json:"cluster,omitempty"`
	VM      string `json:"vm,omitempty"`
	Node    string `json:"node,omitempty"`
	// Why says why it is there, or why it is nowhere: the condition Placed in its own words, and who
	// placed it.
	Why       string   `json:"why,omitempty"`
	Class     string   `json:"class,omitempty"`
	Addresses []string `json:"addresses,omitempty"`
	// Ready, Reason and Message are the condition Ready, Since is when its status last changed.
	Ready    string    `json:"ready"`
	Reason   string    `json:"reason,omitempty"`
	Message  string    `json:"message,omitempty"`
	Since    time.Time `json:"since,omitzero"`
	Deleting bool      `json:"deleting,omitempty"`
	Findings []Finding `json:"findings,omitempty"`
	Passings []Passing `json:"passings,omitempty"`
	Created  time.Time `json:"created,omitzero"`
}

// MachineOf makes the row of a Machine, which it does not change.
func MachineOf(machine *vitistackv1alpha1.Machine) Machine {
	status := &machine.Status
	conditions := status.GetConditions()
	ready := condition(conditions, vitistackv1alpha1.ConditionReady)
	row := Machine{
		Namespace: machine.Namespace, Name: machine.Name,
		Phase: cmp.Or(cut(string(status.Phase)), string(vitistackv1alpha1.MachinePhasePending)), State: cut(status.State),
		VM: cut(status.VMName), Node: cut(status.NodeName), Why: why(machine),
		Class: cut(cmp.Or(machine.Spec.MachineClass, machine.Spec.InstanceType)), Addresses: addresses(status),
		Ready: cmp.Or(cut(string(ready.Status)), "Unknown"), Reason: cut(ready.Reason), Message: cut(ready.Message),
		Since: utc(ready.LastTransitionTime), Deleting: !machine.DeletionTimestamp.IsZero(),
		Findings: findings(conditions), Passings: passings(conditions), Created: utc(machine.CreationTimestamp),
	}
	if ref := status.KubevirtConfigRef; ref != nil {
		row.Cluster = cut(ref.Name)
	}
	return row
}

// why is the message of the condition Placed, with who placed the Machine where that is not in it.
func why(machine *vitistackv1alpha1.Machine) string {
	placed := condition(machine.Status.GetConditions(), vitistackv1alpha1.ConditionPlaced)
	trace := vitistackv1alpha1.ParsePlacementTrace(machine.Annotations[vitistackv1alpha1.AnnotationPlacementTrace])
	by := trace.By()
	switch {
	case placed.Status != "True" || by == "":
		return cut(placed.Message)
	case placed.Message == "":
		return cut(by)
	}
	return cut(placed.Message + " " + by)
}

// addresses are those of the Machine, without repetitions, in order.
func addresses(status *vitistackv1alpha1.MachineStatus) []string {
	var all []string
	for _, each := range slices.Concat(status.PublicIPAddresses, status.IPAddresses, status.IPv6Addresses,
		status.PrivateIPAddresses) {
		if !slices.Contains(all, each) && len(all) < MaxList {
			all = append(all, each)
		}
	}
	return cutAll(all)
}

package observer

import (
	"slices"

	"k8s.io/apimachinery/pkg/types"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// waitsForPerson reports whether a Machine that is not as its spec asks rightly waits: it says why,
// and the observer sees that this is so. Whatever else a Machine waits for is a violation.
func (s seen) waitsForPerson(m machine) bool {
	now := m.last()
	if held := now.condition(vitistackv1alpha1.ConditionDeletionHeld); held != nil && held.Status == "True" {
		return !now.Object.DeletionTimestamp.IsZero()
	}
	ready := now.condition(vitistackv1alpha1.ConditionReady)
	if ready == nil || ready.Status == "True" || ready.Message == "" {
		return false
	}
	switch ready.Reason {
	case vitistackv1alpha1.ReasonReferenceChanged:
		return now.Ledger != nil && !slices.Contains([]string{"", now.Ledger.Config}, reference(now.Object))
	case vitistackv1alpha1.ReasonVanished:
		return s.vanished(now)
	case vitistackv1alpha1.ReasonNameCollision:
		return s.collides(now)
	case vitistackv1alpha1.ReasonReferencesDiffer:
		return now.Object.Spec.KubevirtConfigRef != nil &&
			now.Object.Spec.KubevirtConfigRef.Name != now.Object.Annotations[vitistackv1alpha1.AnnotationKubevirtConfig]
	case vitistackv1alpha1.ReasonConfigNotFound:
		return !s.hasConfig(reference(now.Object))
	default:
		return false
	}
}

// reference is the cluster that a Machine asks for, "" for none.
func reference(m *vitistackv1alpha1.Machine) string {
	if m.Spec.KubevirtConfigRef != nil && m.Spec.KubevirtConfigRef.Name != "" {
		return m.Spec.KubevirtConfigRef.Name
	}
	return m.Annotations[vitistackv1alpha1.AnnotationKubevirtConfig]
}

// vanished reports whether the VirtualMachine of a Machine's record is gone and it was not the
// operator that deleted it.
func (s seen) vanished(now state) bool {
	if now.Ledger == nil || now.Ledger.VMUID == "" {
		return false
	}
	cluster := s.clusterOf(now.Ledger.ClusterUID, now.Ledger.Config)
	_, there := s.there(cluster, virtualMachines, types.UID(now.Ledger.VMUID))
	return cluster != "" && !there
}

// collides reports whether a VirtualMachine that is no guest of the Machine has a name that it needs.
func (s seen) collides(now state) bool {
	return slices.ContainsFunc(s.lives, func(l life) bool {
		mine := now.Ledger != nil && now.Ledger.VMUID == string(l.UID)
		return l.Resource == virtualMachines && l.Until.IsZero() && l.Namespace == now.Object.Namespace && !mine &&
			(l.Name == "vm-"+now.Object.Name || now.Ledger != nil && l.Name == now.Ledger.VMName)
	})
}

func (s seen) hasConfig(name string) bool {
	return slices.ContainsFunc(s.lives, func(l life) bool {
		return l.Resource == configs && l.Name == name && l.Until.IsZero()
	})
}

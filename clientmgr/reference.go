package clientmgr

import (
	"fmt"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// reference is the cluster that a machine names.
type reference struct {
	config     string
	placed     bool   // the ledger says so
	clusterUID string // of the ledger; "" where nothing is recorded
}

// referenceOf reads a machine's reference: the ledger, which parse reads, decides where there is
// one, otherwise field or annotation.
func referenceOf(
	machine *vitistackv1alpha1.Machine, parse func(string) (vitistackv1alpha1.Ledger, error),
) (reference, error) {
	if recorded := machine.Annotations[vitistackv1alpha1.AnnotationPlacement]; recorded != "" {
		ledger, err := parse(recorded)
		if err != nil {
			return reference{}, fmt.Errorf("machine %s/%s: %w: %w", machine.Namespace, machine.Name, ErrReferenceConflict, err)
		}
		return reference{config: ledger.Config, placed: true, clusterUID: ledger.ClusterUID}, nil
	}
	field, annotation := "", machine.Annotations[vitistackv1alpha1.AnnotationKubevirtConfig]
	if machine.Spec.KubevirtConfigRef != nil {
		field = machine.Spec.KubevirtConfigRef.Name
	}
	switch {
	case field == "" && annotation == "":
		return reference{}, fmt.Errorf("machine %s/%s has %w", machine.Namespace, machine.Name, ErrNoReference)
	case field != "" && annotation != "" && field != annotation:
		return reference{}, fmt.Errorf("machine %s/%s: %w: spec.kubevirtConfigRef names %s, annotation %s names %s",
			machine.Namespace, machine.Name,
			ErrReferenceConflict, field, vitistackv1alpha1.AnnotationKubevirtConfig, annotation)
	case field != "":
		return reference{config: field}, nil
	default:
		return reference{config: annotation}, nil
	}
}

// verify compares the cluster that a machine refers to with the one that is connected, whose UID is
// uid. unverified says that a cluster which never had a UID may be used for a placed machine.
func (r reference) verify(machine *vitistackv1alpha1.Machine, uid string, unverified bool) error {
	switch {
	case r.clusterUID == uid && uid != "", r.clusterUID == "" && uid != "", !r.placed:
		return nil
	case uid != "":
		return placedElsewhere(machine, r, uid)
	case r.clusterUID == "" && unverified:
		return nil
	}
	return &ConnectionError{Config: r.config, Reason: ErrIdentityUnverified, Message: sentence(r.config,
		"the cluster's identity cannot be verified: reading namespace kube-system is forbidden")}
}

// placedElsewhere is the error for a machine whose ledger was written for another cluster than the
// one connected now.
func placedElsewhere(machine *vitistackv1alpha1.Machine, ref reference, connected string) error {
	return &ConnectionError{Config: ref.config, Reason: ErrIdentityChanged, Message: fmt.Sprintf(
		"machine %s/%s is placed in cluster %s, but KubevirtConfig %s leads to cluster %s", machine.Namespace, machine.Name,
		ref.clusterUID, ref.config, connected)}
}

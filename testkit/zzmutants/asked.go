package observer

import (
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// differs says what of a Machine is not as its spec asks, "" if all is. Only the first difference is
// told: what follows from it is of no use to anybody.
func (s seen) differs(m machine) string {
	now := m.last()
	switch {
	case !m.Gone.IsZero() || !isOurs(now.Object):
		return ""
	case now.Object.Annotations[vitistackv1alpha1.AnnotationPaused] == "true":
		return ""
	case !now.Object.DeletionTimestamp.IsZero():
		return "it was deleted and is still there"
	case now.Move != nil && now.Ledger != nil && now.Ledger.Move != "":
		return "it is being moved"
	case now.Ledger == nil:
		return "it has no place"
	}
	cluster := s.clusterOf(now.Ledger.ClusterUID, now.Ledger.Config)
	if cluster == "" {
		return "it is recorded in a cluster that is not there: " + now.Ledger.Config
	}
	vm, found := s.there(cluster, virtualMachines, types.UID(now.Ledger.VMUID))
	if !found {
		return "its VirtualMachine is not there: " + now.Ledger.String()
	}
	for _, other := range s.lives {
		if other.Resource == virtualMachines && other.Until.IsZero() && other.UID != vm.UID && other.machine() == m.UID &&
			!other.Returned && !s.isPersons(other) {
			return fmt.Sprintf("it has a second VirtualMachine: %s in %s (%s)", other.object(), other.Cluster, other.UID)
		}
	}
	if problem := runsDifferently(now.Object, vm); problem != "" {
		return problem
	}
	if problem := s.runsNot(vm); problem != "" {
		return problem
	}
	if problem := sizedDifferently(now.Object, vm); problem != "" {
		return problem
	}
	return toldDifferently(now)
}

// isOurs reports whether a Machine is for this operator.
func isOurs(m *vitistackv1alpha1.Machine) bool {
	provider := m.Spec.Provider
	if provider == "" {
		provider = m.Spec.ProviderConfig.Name
	}
	return provider == "" || provider == vitistackv1alpha1.ProviderKubevirt
}

// there is the object of a UID that is in a cluster now.
func (s seen) there(cluster, resource string, uid types.UID) (life, bool) {
	for _, l := range s.lives {
		if l.Cluster == cluster && l.Resource == resource && l.UID == uid && l.Until.IsZero() {
			return l, true
		}
	}
	return life{}, false
}

// runsDifferently compares the run strategy that a Machine asks for with the VirtualMachine's.
func runsDifferently(m *vitistackv1alpha1.Machine, vm life) string {
	is, _, _ := unstructured.NestedString(vm.Object.Object, "spec", "runStrategy")
	if want := string(m.Spec.RunStrategy); want != "" && want != is {
		return fmt.Sprintf("its run strategy is %q, and it asks for %q", is, want)
	}
	return ""
}

// runsNot says what keeps a VirtualMachine that is to run always from running.
func (s seen) runsNot(vm life) string {
	strategy, _, _ := unstructured.NestedString(vm.Object.Object, "spec", "runStrategy")
	for _, l := range s.of(vm.Cluster, instances) {
		if !l.Until.IsZero() || l.guest() != vm.UID {
			continue
		}
		phase, _, _ := unstructured.NestedString(l.Object.Object, "status", "phase")
		switch {
		case strategy == "Halted" && len(l.On) > 0 && l.On[len(l.On)-1].Until.IsZero():
			return "its guest is to be stopped and is " + phase
		case strategy == "Always" && phase != "Running":
			return "its guest is to run and is " + phase
		}
		return ""
	}
	if strategy == "Always" {
		return "its guest is to run and has no instance"
	}
	return ""
}

// sizedDifferently compares what a Machine itself says about its size with the VirtualMachine. The
// class counted when that was made, and is not compared.
func sizedDifferently(m *vitistackv1alpha1.Machine, vm life) string {
	domain, found, _ := unstructured.NestedMap(vm.Object.Object, "spec", "template", "spec", "domain")
	if !found || m.Annotations[vitistackv1alpha1.AnnotationInstancetype] != "" {
		return ""
	}
	for _, number := range []struct {
		of   string
		want int
	}{
		{of: "cores", want: m.Spec.CPU.Cores},
		{of: "sockets", want: m.Spec.CPU.Sockets},
		{of: "threads", want: m.Spec.CPU.ThreadsPerCore},
	} {
		is, _, _ := unstructured.NestedInt64(domain, "cpu", number.of)
		if number.want != 0 && is != int64(number.want) {
			return fmt.Sprintf("it has %d %s and asks for %d", is, number.of, number.want)
		}
	}
	text, _, _ := unstructured.NestedString(domain, "memory", "guest")
	if text == "" {
		text, _, _ = unstructured.NestedString(domain, "resources", "requests", "memory")
	}
	memory, err := resource.ParseQuantity(text)
	if m.Spec.Memory != 0 && (err != nil || memory.Value() != m.Spec.Memory) {
		return fmt.Sprintf("it has %q of memory and asks for %d bytes", text, m.Spec.Memory)
	}
	return ""
}

// toldDifferently compares what the status says with a Machine that is as it should be.
func toldDifferently(now state) string {
	ready := now.condition(vitistackv1alpha1.ConditionReady)
	switch {
	case ready == nil:
		return "it has no condition Ready"
	case ready.Status != "True":
		return fmt.Sprintf("its condition Ready is %s: %s: %s", ready.Status, ready.Reason, ready.Message)
	case now.Object.Status.ObservedGeneration != now.Object.Generation:
		return fmt.Sprintf("its status is of generation %d, and it has %d",
			now.Object.Status.ObservedGeneration, now.Object.Generation)
	default:
		return ""
	}
}

package survey

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// Timeout bounds the live look at one remote cluster.
const Timeout = 2 * time.Second

// Clusters gives the readers and the identities of the remote clusters.
type Clusters interface {
	Live(config string) (client.Reader, error)
	State(config string) (state clientmgr.State, found bool)
}

// For says what is looked for.
type For struct {
	// Namespace of the VirtualMachine, and Names that it may have.
	Namespace string
	Names     []string
	// UIDLabel is the value of the label vitistack.io/machine-uid. "" leaves the list by that label
	// out: no object can carry a UID that is new.
	UIDLabel string
}

// Seen is what one cluster answered.
type Seen struct {
	custody.Look
	vms map[types.UID]*kubevirtv1.VirtualMachine
}

// VM returns a VirtualMachine that was found, with all its fields.
func (s Seen) VM(uid types.UID) *kubevirtv1.VirtualMachine { return s.vms[uid] }

// All is what several clusters answered, sorted by the KubevirtConfigs' names.
type All []Seen

// Looks are the answers in the judge's form.
func (a All) Looks() []custody.Look {
	looks := make([]custody.Look, len(a))
	for i, each := range a {
		looks[i] = each.Look
	}
	return looks
}

// VM returns a VirtualMachine that was found in any of the clusters.
func (a All) VM(place custody.Place) *kubevirtv1.VirtualMachine {
	for _, each := range a {
		if vm := each.vms[place.VM.UID]; vm != nil && each.Config == place.Config {
			return vm
		}
	}
	return nil
}

// Everywhere looks into clusters side by side, each for at most Timeout.
func Everywhere(ctx context.Context, clusters Clusters, configs []string, what For) All {
	seen := make(All, len(configs))
	var looking sync.WaitGroup
	for i, config := range slices.Sorted(slices.Values(configs)) {
		looking.Go(func() { seen[i] = In(ctx, clusters, config, what) })
	}
	looking.Wait()
	return seen
}

// In looks into one cluster, for at most Timeout. Its error is in Silent.
func In(ctx context.Context, clusters Clusters, config string, what For) Seen {
	state, _ := clusters.State(config)
	seen := Seen{Look: custody.Look{Config: config, ClusterUID: cmp.Or(state.ClusterUID, state.RememberedUID)}}
	reader, err := clusters.Live(config)
	if err != nil {
		seen.Silent = err
		return seen
	}
	ctx, cancel := context.WithTimeout(ctx, Timeout)
	defer cancel()
	vms, err := find(ctx, reader, what)
	if err != nil {
		seen.Silent = err
		return seen
	}
	return Answered(config, state.ClusterUID, vms...)
}

// Answered is a look that found VirtualMachines, wherever they were read.
func Answered(config, clusterUID string, vms ...*kubevirtv1.VirtualMachine) Seen {
	seen := Seen{Look: custody.Look{Config: config, ClusterUID: clusterUID},
		vms: map[types.UID]*kubevirtv1.VirtualMachine{}}
	for _, vm := range vms {
		seen.vms[vm.UID] = vm
		seen.Found = append(seen.Found, Sighting(vm))
	}
	return seen
}

// find reads the VirtualMachines with the UID label and those of the names, each once.
func find(ctx context.Context, reader client.Reader, what For) ([]*kubevirtv1.VirtualMachine, error) {
	var found []*kubevirtv1.VirtualMachine
	if what.UIDLabel != "" {
		list := &kubevirtv1.VirtualMachineList{}
		labels := client.MatchingLabels{vitistackv1alpha1.LabelMachineUID: what.UIDLabel}
		if err := reader.List(ctx, list, client.InNamespace(what.Namespace), labels); err != nil {
			return nil, err
		}
		for i := range list.Items {
			found = append(found, &list.Items[i])
		}
	}
	for _, name := range what.Names {
		if slices.ContainsFunc(found, func(vm *kubevirtv1.VirtualMachine) bool { return vm.Name == name }) {
			continue
		}
		named := &kubevirtv1.VirtualMachine{}
		err := reader.Get(ctx, client.ObjectKey{Namespace: what.Namespace, Name: name}, named)
		if client.IgnoreNotFound(err) != nil {
			return nil, err
		}
		if err == nil {
			found = append(found, named)
		}
	}
	return found, nil
}

// Sighting is what the judge needs to know of a VirtualMachine.
func Sighting(vm *kubevirtv1.VirtualMachine) custody.Sighting {
	sighting := custody.Sighting{
		Name: vm.Name, UID: vm.UID, Labels: vm.Labels,
		Nonce:      vm.Annotations[vitistackv1alpha1.AnnotationPlacementNonce],
		Controlled: metav1.GetControllerOf(vm) != nil,
	}
	for _, each := range desired.Interfaces(vm) {
		sighting.MACs = append(sighting.MACs, strings.ToLower(each.MAC))
	}
	return sighting
}

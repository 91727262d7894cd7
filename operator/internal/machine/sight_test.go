package machine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// machine is the Machine web, nil where there is none.
func (w *world) machine() *vitistackv1alpha1.Machine {
	w.t.Helper()
	m := &vitistackv1alpha1.Machine{}
	if err := w.clients[supervisor].Get(context.Background(), webKey, m); err != nil {
		if apierrors.IsNotFound(err) {
			return nil
		}
		w.t.Fatal(err)
	}
	return m
}

// vms are all VirtualMachines of all remote clusters, as cluster/name.
func (w *world) vms() map[string]kubevirtv1.VirtualMachine {
	w.t.Helper()
	all := map[string]kubevirtv1.VirtualMachine{}
	for config, remote := range w.clients {
		if config == supervisor {
			continue
		}
		list := &kubevirtv1.VirtualMachineList{}
		if err := remote.List(context.Background(), list); err != nil {
			w.t.Fatal(err)
		}
		for _, vm := range list.Items {
			all[config+"/"+vm.Name] = vm
		}
	}
	return all
}

// where names the VirtualMachines, sorted.
func (w *world) where() string {
	w.t.Helper()
	var names []string
	for name, vm := range w.vms() {
		names = append(names, fmt.Sprintf("%s of %s", name, vm.Labels[vitistackv1alpha1.LabelMachineUID]))
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

var virtualMachines = schema.GroupVersionKind{Group: "kubevirt.io", Version: "v1", Kind: "VirtualMachineList"}

// timeBare creates VirtualMachines like the one that the operator made for the Machine web.
func (d *demo) timeBare(ctx context.Context) (time.Duration, error) {
	files := make([]bytes.Buffer, len(d.fleet.Remotes))
	for i := range batch {
		vm, err := d.bare(ctx, fmt.Sprintf("bare-%d", i))
		if err != nil {
			return 0, err
		}
		if err := document(&files[i%len(files)], vm); err != nil {
			return 0, err
		}
	}
	began := time.Now()
	var creating sync.WaitGroup
	errs := make([]error, len(files))
	for i, remote := range d.fleet.Remotes {
		creating.Go(func() { errs[i] = d.apply(ctx, remote, &files[i]) })
	}
	creating.Wait()
	for _, err := range errs {
		if err != nil {
			return 0, err
		}
	}
	took, err := untilRunning(ctx, began, d.runningBare)
	if err != nil {
		return 0, err
	}
	return took, d.each(func(c *fleet.Cluster) error {
		vm := &unstructured.Unstructured{}
		vm.SetGroupVersionKind(virtualMachines.GroupVersion().WithKind("VirtualMachine"))
		return c.Client().DeleteAllOf(ctx, vm, client.InNamespace("default"), client.MatchingLabels{"demo": "bare"})
	})
}

// bare is a VirtualMachine of the shape of vm-web, without what ties it to its Machine.
func (d *demo) bare(ctx context.Context, name string) (*unstructured.Unstructured, error) {
	vm := &unstructured.Unstructured{}
	vm.SetGroupVersionKind(virtualMachines.GroupVersion().WithKind("VirtualMachine"))
	if err := d.fleet.Remotes[0].Client().Get(ctx, client.ObjectKey{Namespace: "default", Name: "vm-web"},
		vm); err != nil {
		return nil, err
	}
	encoded, err := yaml.Marshal(map[string]any{
		"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine",
		"metadata": map[string]any{"name": name, "namespace": "default", "labels": map[string]string{"demo": "bare"}},
		"spec":     vm.Object["spec"],
	})
	if err != nil {
		return nil, err
	}
	copied := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(encoded, &copied.Object); err != nil {
		return nil, err
	}
	unstructured.RemoveNestedField(copied.Object, "spec", "template", "spec", "domain", "firmware")
	unstructured.RemoveNestedField(copied.Object, "spec", "template", "metadata")
	return copied, d.rename(copied, name)
}

// rename gives a VirtualMachine disks and a MAC address of its own.
func (d *demo) rename(vm *unstructured.Unstructured, name string) error {
	encoded, err := vm.MarshalJSON()
	if err != nil {
		return err
	}
	templates, _, err := unstructured.NestedSlice(vm.Object, "spec", "dataVolumeTemplates")
	if err != nil {
		return err
	}
	for i, each := range templates {
		template := &unstructured.Unstructured{Object: each.(map[string]any)}
		encoded = bytes.ReplaceAll(encoded, []byte(`"`+template.GetName()+`"`), fmt.Appendf(nil, `"%s-%d"`, name, i))
	}
	if err := vm.UnmarshalJSON(encoded); err != nil {
		return err
	}
	interfaces, _, err := unstructured.NestedSlice(vm.Object, "spec", "template", "spec", "domain", "devices",
		"interfaces")
	if err != nil {
		return err
	}
	for _, each := range interfaces {
		delete(each.(map[string]any), "macAddress")
	}
	return unstructured.SetNestedSlice(vm.Object, interfaces, "spec", "template", "spec", "domain", "devices",
		"interfaces")
}

func (d *demo) runningBare(ctx context.Context) (int, error) {
	running := 0
	for _, remote := range d.fleet.Remotes {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(virtualMachines)
		if err := remote.Client().List(ctx, list, client.MatchingLabels{"demo": "bare"}); err != nil {
			return 0, err
		}
		for _, vm := range list.Items {
			if status, _, _ := unstructured.NestedString(vm.Object, "status", "printableStatus"); status == "Running" {
				running++
			}
		}
	}
	return running, nil
}

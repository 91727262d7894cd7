package kubevirt

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// waitReady waits until virt-api judges virtual machines and answers for their subresources.
func (s *Stack) waitReady(ctx context.Context) error {
	if s.options.Mode == Light {
		return nil
	}
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"virt-api", s.answers},
		{"connection to virt-api", s.connect},
		{"webhooks", s.admits},
		{"subresources", s.aggregated},
	} {
		if err := s.poll(ctx, step.do); err != nil {
			return fmt.Errorf("%s of %s: %w", step.name, s.cluster.Name(), err)
		}
	}
	return nil
}

// answers returns nil if virt-api listens.
func (s *Stack) answers(ctx context.Context) error {
	connection, err := (&net.Dialer{}).DialContext(ctx, "tcp",
		net.JoinHostPort(loopback, strconv.Itoa(s.ports.api.Number)))
	if err != nil {
		return err
	}
	return connection.Close()
}

// poll asks until ready returns nil. Its error carries the last answer.
func (s *Stack) poll(ctx context.Context, ready func(context.Context) error) error {
	var last error
	err := wait.PollUntilContextTimeout(ctx, pollInterval, startTimeout, true, func(ctx context.Context) (bool, error) {
		last = ready(ctx)
		return last == nil, nil
	})
	if err != nil {
		return errors.Join(err, last)
	}
	return nil
}

// admits asks for a virtual machine that is not stored: all webhooks of its kind must answer.
func (s *Stack) admits(ctx context.Context) error {
	probe := &kubevirtv1.VirtualMachine{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "probe-", Namespace: metav1.NamespaceDefault},
		Spec: kubevirtv1.VirtualMachineSpec{
			RunStrategy: ptr.To(kubevirtv1.RunStrategyHalted),
			Template:    &kubevirtv1.VirtualMachineInstanceTemplateSpec{},
		},
	}
	probe.Spec.Template.Spec.Domain.Memory = &kubevirtv1.Memory{Guest: resource.NewQuantity(64<<20, resource.BinarySI)}
	return s.client.Create(ctx, probe, client.DryRunAll)
}

// aggregated returns nil if the API server reaches virt-api for the subresources.
func (s *Stack) aggregated(ctx context.Context) error {
	for _, version := range kubevirtv1.SubresourceGroupVersions {
		service := &unstructured.Unstructured{}
		service.SetGroupVersionKind(apiServiceKind.GroupVersionKind())
		if err := s.client.Get(ctx, client.ObjectKey{Name: version.Version + "." + version.Group}, service); err != nil {
			return err
		}
		if err := available(service); err != nil {
			return err
		}
	}
	return nil
}

func available(service *unstructured.Unstructured) error {
	conditions, _, err := unstructured.NestedSlice(service.Object, "status", "conditions")
	if err != nil {
		return err
	}
	for _, each := range conditions {
		condition, ok := each.(map[string]any)
		if ok && condition["type"] == "Available" {
			if condition["status"] == "True" {
				return nil
			}
			return fmt.Errorf("%s is not available: %v", service.GetName(), condition["message"])
		}
	}
	return fmt.Errorf("%s has not been looked at", service.GetName())
}

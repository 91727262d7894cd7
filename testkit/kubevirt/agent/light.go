package agent

import (
	"context"

	kubevirtv1 "kubevirt.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
)

func (a *Agent) setUpLight(manager ctrl.Manager, options Options) error { return nil }

func (h *handler) admit(ctx context.Context, vmi *kubevirtv1.VirtualMachineInstance, guest Guest) error {
	return nil
}

func (h *handler) dismiss(ctx context.Context, vmi *kubevirtv1.VirtualMachineInstance) error {
	return nil
}

package provision

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
)

// Instance is what a VirtualMachine has become.
type Instance struct {
	// VMI is the running instance, nil where there is none.
	VMI *kubevirtv1.VirtualMachineInstance
	// DataVolumes are those of its disks. They are read only while the guest does not run: a guest
	// that runs has its disks.
	DataVolumes []cdiv1beta1.DataVolume
}

// Observe reads the instance of a VirtualMachine from the cache.
func (j Job) Observe(ctx context.Context, vm *kubevirtv1.VirtualMachine) (Instance, error) {
	at := problem.At{Condition: vmReady, Doing: "reading the instance of VirtualMachine " + vm.Name}
	vmi := &kubevirtv1.VirtualMachineInstance{}
	err := j.Remote.Cache.Get(ctx, client.ObjectKeyFromObject(vm), vmi)
	switch {
	case apierrors.IsNotFound(err):
		vmi = nil
	case err != nil:
		return Instance{}, problem.Remote(err, j.Remote.Config, at)
	case vmi.IsRunning():
		return Instance{VMI: vmi}, nil
	}
	volumes := &cdiv1beta1.DataVolumeList{}
	if err := j.Remote.Cache.List(ctx, volumes, client.InNamespace(vm.Namespace), j.labels()); err != nil {
		return Instance{VMI: vmi}, problem.Remote(err, j.Remote.Config, at)
	}
	return Instance{VMI: vmi, DataVolumes: volumes.Items}, nil
}

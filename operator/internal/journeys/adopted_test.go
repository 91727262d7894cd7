package journeys

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// TestAdopted moves a virtual machine that people made before there was a Machine: it keeps what
// KubeVirt gave to it, and what they wrote into it.
func TestAdopted(t *testing.T) {
	observe(t)
	g := &traveller{t: t, key: client.ObjectKey{Namespace: "adopted-one", Name: "adopted-one"}, marks: map[string]string{}}
	t.Cleanup(func() { tellLog(t, g.key.Name) })
	g.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: g.key.Namespace}})
	east := world.remote[east]
	vm := byHand(g.key.Namespace, "vm-"+g.key.Name)
	for _, object := range []client.Object{&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: g.key.Namespace}}, vm} {
		if err := client.IgnoreAlreadyExists(east.Create(t.Context(), object)); err != nil {
			t.Fatal(err)
		}
	}
	instance := &kubevirtv1.VirtualMachineInstance{}
	eventually.Eventually(t, patience, "the virtual machine runs", func(ctx context.Context) error {
		if err := east.Get(ctx, client.ObjectKeyFromObject(vm), instance); err != nil {
			return err
		}
		if instance.Status.Phase != kubevirtv1.Running || len(instance.Status.Interfaces) == 0 || instance.Status.Interfaces[0].MAC == "" {
			return fmt.Errorf("it is %s, %+v", instance.Status.Phase, instance.Status.Interfaces)
		}
		return nil
	})
	cluster := world.fleet.Remotes[0].Name
	g.create(&vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{Namespace: g.key.Namespace, Name: g.key.Name, Annotations: map[string]string{
			vitistackv1alpha1.AnnotationKubevirtConfig: cluster, vitistackv1alpha1.AnnotationAdopt: cluster + "/" + string(vm.UID),
		}},
		Spec: vitistackv1alpha1.MachineSpec{Provider: "kubevirt", InstanceType: "small"},
	})
	eventually.Eventually(t, patience, "it is adopted", func(context.Context) error {
		if ledger, err := vitistackv1alpha1.LedgerOf(g.machine()); err != nil || ledger.VMUID != string(vm.UID) ||
			g.machine().Status.MachineID != ledger.VMUID {
			return fmt.Errorf("the ledger is %+v, %w", ledger, err)
		}
		return nil
	})
	g.write(cluster, "by hand")
	g.moveTo(west)
	g.tells(vitistackv1alpha1.MovePhaseSucceeded, "")
	g.reads(west)
	g.gone(cluster)
	arrived := g.vm(west)
	if uuid := arrived.Spec.Template.Spec.Domain.Firmware.UUID; uuid != instance.Spec.Domain.Firmware.UUID {
		t.Errorf("the firmware UUID is %s, not %s", uuid, instance.Spec.Domain.Firmware.UUID)
	}
	mac, want := arrived.Spec.Template.Spec.Domain.Devices.Interfaces[0].MacAddress, instance.Status.Interfaces[0].MAC
	if mac != want {
		t.Errorf("the address is %s, not %s", mac, want)
	}
	if arrived.Labels["team"] != "blue" || arrived.Annotations["note"] != "by hand" {
		t.Errorf("people's labels and annotations are %v, %v", arrived.Labels, arrived.Annotations)
	}
}

// byHand is a virtual machine as people make one: KubeVirt gives it its firmware UUID and address.
func byHand(namespace, name string) *kubevirtv1.VirtualMachine {
	size := corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("3Gi")}
	return &kubevirtv1.VirtualMachine{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: map[string]string{"team": "blue"},
			Annotations: map[string]string{"note": "by hand"}},
		Spec: kubevirtv1.VirtualMachineSpec{
			RunStrategy: ptr.To(kubevirtv1.RunStrategyAlways),
			DataVolumeTemplates: []kubevirtv1.DataVolumeTemplateSpec{{
				ObjectMeta: metav1.ObjectMeta{Name: name + "-disk"},
				Spec: cdiv1beta1.DataVolumeSpec{Source: &cdiv1beta1.DataVolumeSource{Blank: &cdiv1beta1.DataVolumeBlankImage{}},
					Storage: &cdiv1beta1.StorageSpec{Resources: corev1.VolumeResourceRequirements{Requests: size}}},
			}},
			Template: &kubevirtv1.VirtualMachineInstanceTemplateSpec{Spec: kubevirtv1.VirtualMachineInstanceSpec{
				Domain: kubevirtv1.DomainSpec{
					Memory: &kubevirtv1.Memory{Guest: ptr.To(resource.MustParse("1Gi"))},
					Devices: kubevirtv1.Devices{
						Disks: []kubevirtv1.Disk{{Name: "disk", DiskDevice: kubevirtv1.DiskDevice{Disk: &kubevirtv1.DiskTarget{Bus: "virtio"}}}},
						Interfaces: []kubevirtv1.Interface{{Name: "default",
							InterfaceBindingMethod: kubevirtv1.InterfaceBindingMethod{Masquerade: &kubevirtv1.InterfaceMasquerade{}}}},
					},
				},
				Networks: []kubevirtv1.Network{{Name: "default", NetworkSource: kubevirtv1.NetworkSource{Pod: &kubevirtv1.PodNetwork{}}}},
				Volumes: []kubevirtv1.Volume{{Name: "disk", VolumeSource: kubevirtv1.VolumeSource{
					DataVolume: &kubevirtv1.DataVolumeSource{Name: name + "-disk"}}}},
			}},
		},
	}
}

package kubevirt_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"testing"

	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/agent"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/contents"
)

func TestDisks(t *testing.T) {
	inBothModes(t, func(t *testing.T, w *world, namespace string) {
		const size = 2 << 20
		w.create(t, machine(namespace, "vm",
			withDisk("first", "1Gi", image("docker://registry.example/debian")),
			withDisk("same", "1Gi", image("docker://registry.example/debian")),
			withDisk("other", "1Gi", image("docker://registry.example/ubuntu")),
			withDisk("blank", "512Ki", &cdiv1.DataVolumeSource{Blank: &cdiv1.DataVolumeBlankImage{}}),
			withDisk("big", "1Gi", image("docker://registry.example/debian")), annotatedDisk(contents.SizeAnnotation, "2Mi"),
		))
		first := w.wantDisk(t, namespace, "first")
		sums := map[string]string{}
		for _, name := range []string{"first", "same", "other", "blank", "big"} {
			sum, err := w.wantDisk(t, namespace, name).SHA256()
			if err != nil {
				t.Fatal(err)
			}
			sums[name] = sum
		}
		const zeros = "07854d2fef297a06ba81685e660c332de36d5d18d546927d30daad6d7fda1541" // of 512 KiB
		if sums["first"] != sums["same"] || sums["first"] == sums["other"] || sums["blank"] != zeros {
			t.Errorf("sums are %v", sums)
		}
		if got, err := w.wantDisk(t, namespace, "big").Size(); got != size || err != nil {
			t.Errorf("the big disk has %d bytes: %v", got, err)
		}
		if _, err := first.WriteAt([]byte("the guest wrote this"), 0); err != nil {
			t.Fatal(err)
		}
		w.create(t, machine(namespace, "clone", withDisk("copy", "1Gi", &cdiv1.DataVolumeSource{
			PVC: &cdiv1.DataVolumeSourcePVC{Namespace: namespace, Name: "first"},
		})))
		if got, want := must(t, w.wantDisk(t, namespace, "copy").SHA256), must(t, first.SHA256); got != want {
			t.Errorf("the copy is %s, not %s", got, want)
		}
	})
}

func TestDiskGoesWithItsClaim(t *testing.T) {
	inBothModes(t, func(t *testing.T, w *world, namespace string) {
		claim := plainClaim(namespace, "data")
		w.create(t, claim)
		disk := w.wantDisk(t, namespace, "data")
		w.delete(t, claim)
		eventually.Eventually(t, patience, "the disk is gone", func(context.Context) error {
			if _, err := os.Stat(disk.Path()); !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("it is there: %w", err)
			}
			return nil
		})
	})
}

// plainClaim is a claim that nothing fills.
func plainClaim(namespace, name string) *corev1.PersistentVolumeClaim {
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
	claim.Spec.AccessModes = []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany}
	claim.Spec.Resources.Requests = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}
	return claim
}

func must(t *testing.T, sum func() (string, error)) string {
	t.Helper()
	got, err := sum()
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// annotatedDisk puts annotations on the template of the last disk.
func annotatedDisk(keyValues ...string) change {
	return func(vm *kubevirtv1.VirtualMachine) {
		template := &vm.Spec.DataVolumeTemplates[len(vm.Spec.DataVolumeTemplates)-1]
		for i := 0; i < len(keyValues); i += 2 {
			metav1.SetMetaDataAnnotation(&template.ObjectMeta, keyValues[i], keyValues[i+1])
		}
	}
}

// ofClass gives the last disk a storage class.
func ofClass(name string) change {
	return func(vm *kubevirtv1.VirtualMachine) {
		vm.Spec.DataVolumeTemplates[len(vm.Spec.DataVolumeTemplates)-1].Spec.Storage.StorageClassName = &name
	}
}

// A halted machine gets no disks of a class that waits for somebody to use them, unless it asks.
func TestWaitForFirstConsumer(t *testing.T) {
	inBothModes(t, func(t *testing.T, w *world, namespace string) {
		err := w.client.Create(t.Context(), &storagev1.StorageClass{
			ObjectMeta: metav1.ObjectMeta{Name: "late"}, Provisioner: agent.Provisioner,
			VolumeBindingMode: ptr.To(storagev1.VolumeBindingWaitForFirstConsumer),
		})
		if err != nil && !apierrors.IsAlreadyExists(err) {
			t.Fatal(err)
		}
		vm := machine(namespace, "vm", strategy(kubevirtv1.RunStrategyHalted),
			withDisk("asks", "1Gi", image("docker://registry.example/debian")), ofClass("late"),
			annotatedDisk("cdi.kubevirt.io/storage.bind.immediate.requested", "true"),
			withDisk("waits", "1Gi", image("docker://registry.example/debian")), ofClass("late"))
		w.create(t, vm)
		w.wantDisk(t, namespace, "asks")
		volume := &cdiv1.DataVolume{}
		eventually.Eventually(t, patience, "the other disk waits", func(ctx context.Context) error {
			if err := w.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: "waits"}, volume); err != nil {
				return err
			}
			if volume.Status.Phase != cdiv1.WaitForFirstConsumer {
				return fmt.Errorf("it is %s", volume.Status.Phase)
			}
			return nil
		})
		w.patch(t, vm, strategy(kubevirtv1.RunStrategyAlways))
		w.guest(t, vm, kubevirtv1.Running)
		w.wantDisk(t, namespace, "waits")
	})
}

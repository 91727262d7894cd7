package journeys

import (
	"context"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// TestDisksOfOthers: a Machine may take its first disk from a claim of any namespace of the remote
// cluster, as golden images are. KubeVirt asks whether the Machine's own namespace may clone there, and
// not whether the operator may: another tenant's disk is refused.
func TestDisksOfOthers(t *testing.T) {
	remote := world.remote[east]
	victim := metav1.ObjectMeta{Namespace: "victim", Name: "persons-disk"}
	source := &cdiv1beta1.DataSource{ObjectMeta: victim}
	source.Spec.Source.PVC = &cdiv1beta1.DataVolumeSourcePVC{Namespace: victim.Namespace, Name: victim.Name}
	for _, object := range []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: victim.Namespace}}, source,
		&corev1.PersistentVolumeClaim{ObjectMeta: victim, Spec: corev1.PersistentVolumeClaimSpec{
			AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
			VolumeMode:  ptr.To(corev1.PersistentVolumeBlock),
			Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")}}}},
	} {
		if err := remote.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	for _, kind := range []string{"pvc", "datasource"} {
		t.Run(kind, func(t *testing.T) {
			g := &traveller{t: t, key: client.ObjectKey{Namespace: "thief-" + kind, Name: "thief"}}
			t.Cleanup(func() { tellLog(t, g.key.Namespace) })
			g.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: g.key.Namespace}})
			m := &vitistackv1alpha1.Machine{
				ObjectMeta: metav1.ObjectMeta{Namespace: g.key.Namespace, Name: g.key.Name, Annotations: map[string]string{
					vitistackv1alpha1.AnnotationKubevirtConfig: east,
					vitistackv1alpha1.AnnotationBootSource:     vitistackv1alpha1.BootSourceDataVolume,
					vitistackv1alpha1.AnnotationBootSourceType: kind,
				}},
				Spec: vitistackv1alpha1.MachineSpec{Provider: "kubevirt", InstanceType: "small"},
			}
			m.Spec.OS.ImageID = victim.Namespace + "/" + victim.Name
			g.create(m)
			eventually.Eventually(t, patience, "the disk is refused", func(context.Context) error {
				ready := g.ready()
				if ready.Status != metav1.ConditionFalse || !strings.Contains(ready.Message, "clone source namespace") {
					return fmt.Errorf("Ready is %s, %s: %s", ready.Status, ready.Reason, ready.Message)
				}
				return nil
			})
			for version, kind := range map[string]string{
				"cdi.kubevirt.io/v1beta1": "DataVolume", "v1": "PersistentVolumeClaim", "kubevirt.io/v1": "VirtualMachineInstance",
			} {
				if made := listed(t.Context(), east, g.key.Namespace, version, kind); len(made) > 0 {
					t.Errorf("there is %s %v", kind, made)
				}
			}
		})
	}
}

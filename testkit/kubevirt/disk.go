package kubevirt

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/contents"
)

// Disk returns what is in a claim. It fails where there is no such claim, where it is not bound, and
// where a DataVolume is still filling it.
func (s *Stack) Disk(ctx context.Context, namespace, name string) (contents.Disk, error) {
	claim := &corev1.PersistentVolumeClaim{}
	key := client.ObjectKey{Namespace: namespace, Name: name}
	if err := s.client.Get(ctx, key, claim); err != nil {
		return contents.Disk{}, fmt.Errorf("disk of claim %s in %s: %w", key, s.cluster.Name(), err)
	}
	if claim.Status.Phase != corev1.ClaimBound {
		return contents.Disk{}, fmt.Errorf("claim %s in %s is %s", key, s.cluster.Name(), claim.Status.Phase)
	}
	if owner := metav1.GetControllerOf(claim); owner != nil && owner.Kind == "DataVolume" {
		volume := &cdiv1.DataVolume{}
		err := s.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: owner.Name}, volume)
		if client.IgnoreNotFound(err) != nil {
			return contents.Disk{}, fmt.Errorf("disk of claim %s in %s: %w", key, s.cluster.Name(), err)
		}
		if err == nil && volume.Status.Phase != cdiv1.Succeeded {
			return contents.Disk{}, fmt.Errorf("claim %s in %s is not filled: %s", key, s.cluster.Name(), volume.Status.Phase)
		}
	}
	recipe, err := contents.RecipeFor(claim)
	if err != nil {
		return contents.Disk{}, err
	}
	return s.contents.Make(claim.UID, recipe)
}

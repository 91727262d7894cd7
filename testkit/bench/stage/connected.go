package stage

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// UntilSilent waits until the operator has seen that a cluster does not answer.
func (s *Stage) UntilSilent(ctx context.Context, config string) error {
	return s.Until(ctx, func(ctx context.Context) error { return s.connected(ctx, config, false) })
}

// connected is an error unless the operator says of a cluster that it is connected, or that it is
// not.
func (s *Stage) connected(ctx context.Context, config string, want bool) error {
	object := &vitistackv1alpha1.KubevirtConfig{}
	key := client.ObjectKey{Namespace: fleet.ConfigsNamespace, Name: config}
	if err := s.Admin.Get(ctx, key, object); err != nil {
		return err
	}
	status := metav1.ConditionUnknown
	if found := meta.FindStatusCondition(object.Status.Conditions, vitistackv1alpha1.ConditionConnected); found != nil {
		status = found.Status
	}
	if is := status == metav1.ConditionTrue; is != want {
		return fmt.Errorf("%s: Connected is %s", config, status)
	}
	return nil
}

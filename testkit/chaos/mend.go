package chaos

import (
	"context"
	"errors"
	"fmt"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// mend takes away what a restored etcd brought back, and gives Machines what they refer to. The
// world of the closing phase forbids nothing.
func (w *world) mend(ctx context.Context) error {
	for _, c := range w.fleet.Clusters() {
		own, err := w.client(c.Name)
		if err != nil {
			return err
		}
		for _, object := range []client.Object{
			&admissionregistrationv1.ValidatingAdmissionPolicyBinding{},
			&admissionregistrationv1.ValidatingAdmissionPolicy{},
			&admissionregistrationv1.ValidatingWebhookConfiguration{},
			&admissionregistrationv1.MutatingWebhookConfiguration{},
		} {
			if err := own.DeleteAllOf(ctx, object, client.HasLabels{ownLabel}); err != nil {
				return fmt.Errorf("%s: %w", c.Name, err)
			}
		}
		if c.Name == fleet.Supervisor {
			continue
		}
		quotas := []client.DeleteAllOfOption{client.InNamespace(w.namespace), client.HasLabels{ownLabel}}
		if err := own.DeleteAllOf(ctx, &corev1.ResourceQuota{}, quotas...); err != nil {
			return err
		}
		if err := w.narrow(ctx, own, nil); err != nil {
			return err
		}
	}
	inConfigs := []client.DeleteAllOfOption{client.InNamespace(fleet.ConfigsNamespace), client.HasLabels{ownLabel}}
	for _, object := range []client.Object{
		&vitistackv1alpha1.KubevirtConfig{}, &corev1.Secret{}, &vitistackv1alpha1.Evacuation{},
	} {
		if err := w.supervisor.DeleteAllOf(ctx, object, inConfigs...); err != nil {
			return err
		}
	}
	return errors.Join(
		w.mendSecrets(ctx),
		setClass(ctx, w, Step{Params: map[string]string{"cores": "1", "enabled": "true"}}),
		setNetwork(ctx, w, Step{Params: map[string]string{"name": network, "vlan": "7"}}),
		endNetwork(ctx, w, Step{Params: map[string]string{"name": "chaos-other-net"}}),
	)
}

package chaos

import (
	"context"
	"fmt"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// admissionKinds are what stands between the operator and what it writes.
func admissionKinds() []kind {
	return []kind{
		{name: "policy", weight: 3, do: setPolicy, draw: func(d *draft) Step {
			return Step{Subject: d.cluster(), Params: map[string]string{"for": d.lasting(seconds(1), seconds(8))}}
		}},
		{name: "quota", weight: 2, do: setQuota, draw: func(d *draft) Step {
			return Step{Subject: d.remote(), Params: map[string]string{"for": d.lasting(seconds(1), seconds(8))}}
		}},
		{name: "webhook", weight: 4, do: setWebhook, draw: func(d *draft) Step {
			return Step{Subject: d.cluster(), Params: map[string]string{
				"how": of(d, refuses, hangs, mutates), "for": d.lasting(seconds(1), seconds(8))}}
		}},
	}
}

// written is what a policy or a webhook of a cluster is about: what the operator writes there.
func written(cluster string) admissionregistrationv1.Rule {
	if cluster == fleet.Supervisor {
		return admissionregistrationv1.Rule{APIGroups: []string{"vitistack.io"}, APIVersions: []string{"*"},
			Resources: []string{"machines", "machines/status", "networkconfigurations"}}
	}
	return admissionregistrationv1.Rule{APIGroups: []string{"kubevirt.io"}, APIVersions: []string{"*"},
		Resources: []string{"virtualmachines"}}
}

// byOperator is true for the operator's requests, in CEL.
const byOperator = `request.userInfo.username == "` + fleet.OperatorUser + `"`

// writtenIn is the same with all operations that change something.
func writtenIn(cluster string) admissionregistrationv1.RuleWithOperations {
	return admissionregistrationv1.RuleWithOperations{Rule: written(cluster),
		Operations: []admissionregistrationv1.OperationType{
			admissionregistrationv1.Create, admissionregistrationv1.Update, admissionregistrationv1.Delete}}
}

// setPolicy refuses what the operator writes.
func setPolicy(ctx context.Context, w *world, step Step) error {
	c, err := w.client(step.Subject)
	if err != nil {
		return err
	}
	name := w.next(w.namespace + "-policy")
	policy := &admissionregistrationv1.ValidatingAdmissionPolicy{ObjectMeta: w.own(name),
		Spec: admissionregistrationv1.ValidatingAdmissionPolicySpec{
			MatchConstraints: &admissionregistrationv1.MatchResources{
				ResourceRules: []admissionregistrationv1.NamedRuleWithOperations{{RuleWithOperations: writtenIn(step.Subject)}}},
			MatchConditions: []admissionregistrationv1.MatchCondition{{Name: "operator", Expression: byOperator}},
			Validations: []admissionregistrationv1.Validation{{Expression: "false",
				Message: "chaos refuses this for a while"}},
		}}
	binding := &admissionregistrationv1.ValidatingAdmissionPolicyBinding{ObjectMeta: w.own(name),
		Spec: admissionregistrationv1.ValidatingAdmissionPolicyBindingSpec{PolicyName: name,
			ValidationActions: []admissionregistrationv1.ValidationAction{admissionregistrationv1.Deny}}}
	return w.place(ctx, c, name, step, policy, binding)
}

// place creates objects and takes them away after a time.
func (w *world) place(ctx context.Context, c client.Client, what string, step Step, objects ...client.Object) error {
	err := w.lasting(ctx, what, step, func(ctx context.Context) error {
		for _, object := range objects {
			if err := gone(ctx, c, object); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, object := range objects {
		if err := c.Create(ctx, object); err != nil {
			return fmt.Errorf("creating %s: %w", object.GetName(), err)
		}
	}
	return nil
}

// setQuota leaves no room for virtual machines. Nobody counts quotas in a fleet, so the room is
// written down here.
func setQuota(ctx context.Context, w *world, step Step) error {
	c, err := w.client(step.Subject)
	if err != nil {
		return err
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}
	if err := isThere(c.Create(ctx, namespace)); err != nil {
		return err
	}
	none := corev1.ResourceList{"count/virtualmachines.kubevirt.io": resource.MustParse("0")}
	quota := &corev1.ResourceQuota{ObjectMeta: w.own(w.next("quota")), Spec: corev1.ResourceQuotaSpec{Hard: none}}
	quota.Namespace = w.namespace
	if err := w.place(ctx, c, quota.Name, step, quota); err != nil {
		return err
	}
	before := quota.DeepCopy()
	quota.Status.Hard, quota.Status.Used = none, none
	return c.Status().Patch(ctx, quota, client.MergeFrom(before))
}

// setWebhook puts a webhook of ours between.
func setWebhook(ctx context.Context, w *world, step Step) error {
	c, err := w.client(step.Subject)
	if err != nil {
		return err
	}
	hook := newWebhook(step.Params["how"])
	name := w.next(w.namespace + "-webhook")
	rule := writtenIn(step.Subject)
	conditions := []admissionregistrationv1.MatchCondition{{Name: "operator", Expression: byOperator}}
	var object client.Object = &admissionregistrationv1.ValidatingWebhookConfiguration{ObjectMeta: w.own(name),
		Webhooks: []admissionregistrationv1.ValidatingWebhook{{Name: "chaos.testkit.example", ClientConfig: hook.config(),
			Rules: []admissionregistrationv1.RuleWithOperations{rule}, MatchConditions: conditions,
			AdmissionReviewVersions: []string{"v1"}, TimeoutSeconds: ptr.To(int32(10)),
			SideEffects: ptr.To(admissionregistrationv1.SideEffectClassNone)}}}
	if step.Params["how"] == mutates {
		object = &admissionregistrationv1.MutatingWebhookConfiguration{ObjectMeta: w.own(name),
			Webhooks: []admissionregistrationv1.MutatingWebhook{{Name: "chaos.testkit.example", ClientConfig: hook.config(),
				Rules: []admissionregistrationv1.RuleWithOperations{rule}, MatchConditions: conditions,
				AdmissionReviewVersions: []string{"v1"}, TimeoutSeconds: ptr.To(int32(10)),
				SideEffects: ptr.To(admissionregistrationv1.SideEffectClassNone)}}}
	}
	err = w.lasting(ctx, name, step, func(ctx context.Context) error {
		err := gone(ctx, c, object)
		if err == nil {
			hook.Close()
		}
		return err
	})
	if err != nil {
		hook.Close()
		return err
	}
	return c.Create(ctx, object)
}

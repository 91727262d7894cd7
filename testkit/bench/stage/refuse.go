package stage

import (
	"context"
	"errors"
	"fmt"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// policyName is the name of the policy that refuses virtual machines, and of its binding.
const policyName = "bench-refuses"

// Refuse lets a cluster refuse every VirtualMachine by a policy of its own, and waits until it does.
func (s *Stage) Refuse(ctx context.Context, victim client.Client) error {
	meta := metav1.ObjectMeta{Name: policyName}
	policy := &admissionv1.ValidatingAdmissionPolicy{ObjectMeta: meta, Spec: admissionv1.ValidatingAdmissionPolicySpec{
		MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{{
			RuleWithOperations: admissionv1.RuleWithOperations{
				Operations: []admissionv1.OperationType{admissionv1.Create},
				Rule: admissionv1.Rule{
					APIGroups: []string{kubevirtv1.GroupVersion.Group}, APIVersions: []string{"*"},
					Resources: []string{"virtualmachines"},
				},
			},
		}}},
		Validations: []admissionv1.Validation{{Expression: "false", Message: "this cluster takes no virtual machines"}},
	}}
	binding := &admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: meta}
	binding.Spec.PolicyName = policyName
	binding.Spec.ValidationActions = []admissionv1.ValidationAction{admissionv1.Deny}
	if err := errors.Join(victim.Create(ctx, policy), victim.Create(ctx, binding)); err != nil {
		return err
	}
	return s.Until(ctx, func(ctx context.Context) error {
		if err := tryVM(ctx, victim); !apierrors.IsInvalid(err) && !apierrors.IsForbidden(err) {
			return fmt.Errorf("a virtual machine is not refused: %w",
				errors.Join(err, errors.New("the policy is not seen yet")))
		}
		return nil
	})
}

// Accept ends Refuse.
func (s *Stage) Accept(ctx context.Context, victim client.Client) error {
	meta := metav1.ObjectMeta{Name: policyName}
	err := errors.Join(
		victim.Delete(ctx, &admissionv1.ValidatingAdmissionPolicyBinding{ObjectMeta: meta}),
		victim.Delete(ctx, &admissionv1.ValidatingAdmissionPolicy{ObjectMeta: meta}))
	if err != nil {
		return err
	}
	return s.Until(ctx, func(ctx context.Context) error { return tryVM(ctx, victim) })
}

// tryVM asks a cluster for a VirtualMachine without having it stored.
func tryVM(ctx context.Context, c client.Client) error {
	return c.Create(ctx, NewVM(metav1.NamespaceDefault, "tried"), client.DryRunAll)
}

// NewVM returns a VirtualMachine that is nobody's: halted, without labels and disks.
func NewVM(namespace, name string) *kubevirtv1.VirtualMachine {
	halted := kubevirtv1.RunStrategyHalted
	return &kubevirtv1.VirtualMachine{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: kubevirtv1.VirtualMachineSpec{
			RunStrategy: &halted, Template: &kubevirtv1.VirtualMachineInstanceTemplateSpec{},
		},
	}
}

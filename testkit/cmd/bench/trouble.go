package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// policyName is the name of the policy that refuses virtual machines, and of its binding.
const policyName = "bench-refuses"

// trouble is what is wrong with the last cluster in a round: begin starts it and end ends it.
type trouble struct {
	begin, end func(ctx context.Context) error
}

func none(context.Context) error { return nil }

// blackHoled cuts a cluster off: nothing that is sent to it is answered.
func blackHoled(victim *fleet.Cluster) trouble {
	return trouble{
		begin: func(context.Context) error { return victim.SetFault(faults.Fault{Kind: faults.Blackhole}) },
		end:   func(context.Context) error { return victim.SetFault(faults.Fault{Kind: faults.Pass}) },
	}
}

// refusing lets a cluster refuse every VirtualMachine by a policy of its own.
func (b *bench) refusing(victim client.Client) trouble {
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
	return trouble{
		begin: func(ctx context.Context) error {
			for _, object := range []client.Object{policy, binding} {
				if err := victim.Create(ctx, object.DeepCopyObject().(client.Object)); err != nil {
					return err
				}
			}
			return b.until(ctx, func(ctx context.Context) error {
				if err := b.tryVM(ctx, victim); !apierrors.IsInvalid(err) && !apierrors.IsForbidden(err) {
					return fmt.Errorf("a virtual machine is not refused: %w",
						errors.Join(err, errors.New("the policy is not seen yet")))
				}
				return nil
			})
		},
		end: func(ctx context.Context) error {
			if err := errors.Join(victim.Delete(ctx, binding), victim.Delete(ctx, policy)); err != nil {
				return err
			}
			return b.until(ctx, func(ctx context.Context) error { return b.tryVM(ctx, victim) })
		},
	}
}

// tryVM asks a cluster for a VirtualMachine without having it stored.
func (b *bench) tryVM(ctx context.Context, c client.Client) error {
	return c.Create(ctx, b.newVM(metav1.NamespaceDefault, "tried"), client.DryRunAll)
}

// compareTrouble times the creation of Machines with a share of them in a last cluster that works,
// is cut off, or refuses them: those of the other clusters must not be later for it.
func (b *bench) compareTrouble(ctx context.Context) error {
	all := b.machines * (involved + 1) / involved
	fmt.Fprintf(b.progress, "\n%d Machines over %d clusters, until those of %d exist; "+
		"%d turns of the last one healthy, black-holed, refusing:\n", all, involved+1, involved, b.pairs)
	var healthy, cut, refused []time.Duration
	victim := b.fleet.Remotes[involved]
	defer func() { // whole turns count also where the next one did not come to its end
		if turns := min(len(healthy), len(cut), len(refused)); turns > 0 {
			b.add("one-of-four-black-holed", 1.05, ratios(cut[:turns], healthy[:turns]))
			b.add("one-of-four-refusing", 1.05, ratios(refused[:turns], healthy[:turns]))
		}
	}()
	for range b.pairs {
		for _, arm := range []struct {
			times   *[]time.Duration
			trouble trouble
		}{
			{&healthy, trouble{begin: none, end: none}},
			{&cut, blackHoled(victim)},
			{&refused, b.refusing(b.clients.lookers[involved])},
		} {
			took, err := b.round(ctx, round{clusters: involved + 1, awaited: involved, trouble: arm.trouble})
			if err != nil {
				return err
			}
			*arm.times = append(*arm.times, took)
		}
		fmt.Fprintf(b.progress, "  %5.2f s  %5.2f s  %5.2f s\n", last(healthy), last(cut), last(refused))
	}
	return nil
}

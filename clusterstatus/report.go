package clusterstatus

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/compatibility"
)

// report writes the status where it says something new.
func (p *pass) report(ctx context.Context) error {
	former := p.record.written(p.config)
	in := Input{
		Config: p.config.DeepCopy(), State: p.state, KubeVirt: p.record.sight.kubevirt, Schema: p.schema(), Usage: p.usage,
		Debts:                   p.debts,
		Orphans:                 p.record.vigil.orphans,
		AllowUnverifiedIdentity: p.options.AllowUnverifiedIdentity, Now: p.now,
	}
	in.Config.Status = *former
	want := Status(in)
	if held, left := in.held(); held {
		p.wake(left)
	} else {
		p.options.StartUp.Tell(ctx, p.config, want, definitionsOf(in.Schema))
	}
	p.metrics.seen(p.config.Name, want, in.Orphans)
	p.metrics.schema(p.config.Name, in.Schema)
	switch left := countInterval - p.now.Sub(p.record.wrote); {
	case apiequality.Semantic.DeepEqual(*former, want):
		return nil
	case left > 0 && onlyCounts(*former, want):
		p.wake(left)
		return nil
	}
	if err := p.write(ctx, want); err != nil {
		return err
	}
	p.tell(former.Conditions, want.Conditions)
	return nil
}

// onlyCounts reports whether two statuses differ in nothing but the Machines.
func onlyCounts(former, want vitistackv1alpha1.KubevirtConfigStatus) bool {
	if former.Machines == nil {
		return false
	}
	want.Machines, want.Message = former.Machines, former.Message
	return apiequality.Semantic.DeepEqual(former, want)
}

// write patches the status. It fails where somebody else has changed the object: conditions are a
// list, and a patch replaces it.
func (p *pass) write(ctx context.Context, want vitistackv1alpha1.KubevirtConfigStatus) error {
	after := p.config.DeepCopy()
	after.Status = *want.DeepCopy()
	patch := client.MergeFromWithOptions(p.config, client.MergeFromWithOptimisticLock{})
	if err := p.supervisor.Status().Patch(ctx, after, patch); err != nil {
		return fmt.Errorf("patching the status of KubevirtConfig %s: %w", p.config.Name, err)
	}
	p.metrics.wrote(p.config.Name)
	p.record.patched(p.config, after)
	p.record.asked, p.record.kept, p.record.wrote = &want, after.Status.DeepCopy(), p.now
	p.config = after
	return nil
}

// tell makes an Event of a change of Connected.
func (p *pass) tell(former, now []metav1.Condition) {
	before := meta.FindStatusCondition(former, vitistackv1alpha1.ConditionConnected)
	after := meta.FindStatusCondition(now, vitistackv1alpha1.ConditionConnected)
	switch {
	case after == nil, before != nil && before.Status == after.Status:
	case after.Status == metav1.ConditionTrue:
		p.event(corev1.EventTypeNormal, vitistackv1alpha1.ReasonConnected, "Connect", "contact was made")
	case before != nil && before.Status == metav1.ConditionTrue:
		p.event(corev1.EventTypeWarning, "Disconnected", "Disconnect",
			fmt.Sprintf("contact was lost (%s): %s", after.Reason, after.Message))
	case after.Status == metav1.ConditionFalse:
		p.event(corev1.EventTypeWarning, "Disconnected", "Connect",
			fmt.Sprintf("contact was not made (%s): %s", after.Reason, after.Message))
	}
}

// maxNote is the longest note that the API server takes in an Event, in bytes.
const maxNote = 1024

// event records something that happened to the KubevirtConfig. note is in the past tense and has
// nothing of a Secret in it.
func (p *pass) event(kind, reason, action, note string) {
	if p.options.Events != nil {
		p.options.Events.Eventf(p.config, nil, kind, reason, action, "%s", note[:min(len(note), maxNote)])
	}
}

// definitionsOf is what was found about each definition of a cluster.
func definitionsOf(answer *compatibility.Answer) []compatibility.Definition {
	if answer == nil {
		return nil
	}
	return answer.Definitions
}

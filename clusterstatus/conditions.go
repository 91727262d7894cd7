package clusterstatus

import (
	"fmt"
	"slices"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

// conditions are those that this package writes, in the order in which they matter.
func conditions(in Input) []metav1.Condition {
	all := []metav1.Condition{connected(in), identityVerified(in), rightsSufficient(in), kubeVirtReady(in)}
	if in.Schema != nil {
		all = append(all, schemaCompatible(in))
	}
	if in.Orphans != nil {
		all = append(all, noOrphans(*in.Orphans))
	}
	if condition, told := notShared(in); told {
		all = append(all, condition)
	}
	if !in.Config.DeletionTimestamp.IsZero() {
		all = append(all, releasable(in))
	}
	return all
}

func connected(in Input) metav1.Condition {
	condition := metav1.Condition{
		Type: vitistackv1alpha1.ConditionConnected, Status: metav1.ConditionFalse,
		Reason: in.State.Reason, Message: in.State.Message,
	}
	switch {
	case in.State.Phase == "":
		condition.Status, condition.Reason, condition.Message = metav1.ConditionUnknown, vitistackv1alpha1.ReasonConnecting,
			"connecting"
	case in.State.Reason == clientmgr.ReasonConnecting:
		condition.Status = metav1.ConditionUnknown
	case in.State.Ready():
		condition.Status = metav1.ConditionTrue
		if in.Config.Spec.Paused && in.State.Reason == clientmgr.ReasonConnected {
			condition.Reason, condition.Message = vitistackv1alpha1.ReasonPaused, "connected; no new Machines are placed here"
		}
	}
	return condition
}

func identityVerified(in Input) metav1.Condition {
	condition := metav1.Condition{
		Type: vitistackv1alpha1.ConditionIdentityVerified, Status: metav1.ConditionUnknown,
		Reason: vitistackv1alpha1.ReasonNotChecked, Message: "no contact yet",
	}
	switch {
	case in.State.Reason == clientmgr.ReasonIdentityChanged:
		condition.Status, condition.Reason = metav1.ConditionFalse, vitistackv1alpha1.ReasonIdentityChanged
		condition.Message = fmt.Sprintf("%s; annotate it with %s=%s to accept that", in.State.Message,
			vitistackv1alpha1.AnnotationAcceptClusterUID, in.State.SeenUID)
	case in.State.IdentityVerified == metav1.ConditionTrue:
		condition.Status, condition.Reason = metav1.ConditionTrue, vitistackv1alpha1.ReasonIdentityVerified
		condition.Message = "cluster " + in.State.ClusterUID + shared(in.State)
	case in.State.Reason == clientmgr.ReasonIdentityUnverified:
		condition.Reason = vitistackv1alpha1.ReasonIdentityUnverified
		condition.Message = fmt.Sprintf("cluster %s is expected, but reading the namespace kube-system is forbidden, so that"+
			" another cluster may be answering; let the credential get that namespace", in.State.RememberedUID)
	case in.State.Ready():
		condition.Reason, condition.Message = vitistackv1alpha1.ReasonIdentityUnverified,
			"reading the namespace kube-system is forbidden"
	case in.State.RememberedUID != "":
		condition.Message = "cluster " + in.State.RememberedUID + " is expected; there is no contact that could prove it"
	}
	return condition
}

// notShared says whether other KubevirtConfigs lead to the same cluster. It is told from the first
// time that one does.
func notShared(in Input) (condition metav1.Condition, told bool) {
	condition = metav1.Condition{
		Type: vitistackv1alpha1.ConditionNotShared, Status: metav1.ConditionTrue,
		Reason: vitistackv1alpha1.ReasonNotShared, Message: "no other KubevirtConfig leads to this cluster",
	}
	if others := in.State.SharedWith; len(others) > 0 {
		condition.Status, condition.Reason = metav1.ConditionFalse, vitistackv1alpha1.ReasonShared
		condition.Message = fmt.Sprintf(
			"KubevirtConfig %s leads to the same cluster %s; keep one KubevirtConfig for each cluster",
			strings.Join(others, ", "), knownUID(in.State))
		return condition, true
	}
	return condition, knownUID(in.State) != "" &&
		meta.FindStatusCondition(in.Config.Status.Conditions, condition.Type) != nil
}

// releasable says what a KubevirtConfig that is being deleted waits for.
func releasable(in Input) metav1.Condition {
	condition := metav1.Condition{Type: vitistackv1alpha1.ConditionReleasable, Status: metav1.ConditionFalse}
	switch {
	case in.Usage.Count > 0:
		condition.Reason, condition.Message = vitistackv1alpha1.ReasonMachinesPlaced, in.Usage.blocking()
	case in.Debts.Count > 0:
		condition.Reason, condition.Message = vitistackv1alpha1.ReasonDebtsOwed, in.Debts.owing()
	default:
		condition.Status, condition.Reason = metav1.ConditionTrue, vitistackv1alpha1.ReasonReleasable
		condition.Message = "no Machine is placed here, and nothing is owed to the cluster"
	}
	return condition
}

// shared is the remark that other KubevirtConfigs lead to the same cluster.
func shared(state clientmgr.State) string {
	if len(state.SharedWith) == 0 {
		return ""
	}
	return "; the same cluster as KubevirtConfig " + strings.Join(state.SharedWith, ", ")
}

func rightsSufficient(in Input) metav1.Condition {
	condition := metav1.Condition{
		Type: vitistackv1alpha1.ConditionRightsSufficient, Status: metav1.ConditionUnknown,
		Reason: vitistackv1alpha1.ReasonNotChecked, Message: "the rights were not reviewed yet",
	}
	switch {
	case !in.State.RightsChecked:
	case len(in.State.MissingRights) == 0:
		condition.Status, condition.Reason = metav1.ConditionTrue, vitistackv1alpha1.ReasonRightsSufficient
		condition.Message = "every right is there"
	default:
		condition.Status, condition.Reason = metav1.ConditionFalse, vitistackv1alpha1.ReasonRightsMissing
		condition.Message = "missing: " + rights(in.State.MissingRights)
	}
	return condition
}

// rights lists rights as "resource.group (verb, verb)", sorted.
func rights(missing []authorizationv1.ResourceAttributes) string {
	verbs := map[string][]string{}
	for _, right := range missing {
		resource := right.Resource
		if right.Subresource != "" {
			resource += "/" + right.Subresource
		}
		if right.Group != "" {
			resource += "." + right.Group
		}
		verbs[resource] = append(verbs[resource], right.Verb)
	}
	texts := make([]string, 0, len(verbs))
	for resource, each := range verbs {
		slices.Sort(each)
		texts = append(texts, resource+" ("+strings.Join(slices.Compact(each), ", ")+")")
	}
	slices.Sort(texts)
	return strings.Join(texts, ", ")
}

func kubeVirtReady(in Input) metav1.Condition {
	condition := metav1.Condition{
		Type: vitistackv1alpha1.ConditionKubeVirtReady, Status: metav1.ConditionUnknown,
		Reason: vitistackv1alpha1.ReasonNotChecked, Message: "KubeVirt cannot be looked at without a connection",
	}
	if !in.State.Ready() {
		return condition
	}
	condition.Message = in.KubeVirt.Message
	switch {
	case !in.KubeVirt.Answered:
		if condition.Message == "" {
			condition.Message = "KubeVirt was not looked at yet"
		}
	case in.KubeVirt.Ready:
		condition.Status, condition.Reason = metav1.ConditionTrue, vitistackv1alpha1.ReasonKubeVirtReady
	case !in.KubeVirt.Installed:
		condition.Status, condition.Reason = metav1.ConditionFalse, vitistackv1alpha1.ReasonKubeVirtMissing
	default:
		condition.Status, condition.Reason = metav1.ConditionFalse, vitistackv1alpha1.ReasonKubeVirtNotReady
	}
	return condition
}

// message is the status in one sentence: what keeps the KubevirtConfig from going, else the first
// of its conditions that is not well. former stands where it is not "" and nothing keeps it.
func message(in Input, conditions []metav1.Condition, former string) string {
	if !in.Config.DeletionTimestamp.IsZero() {
		if condition := releasable(in); condition.Status == metav1.ConditionFalse {
			return condition.Message
		}
	}
	if former != "" {
		return former
	}
	note := shared(in.State)
	for _, name := range []string{
		vitistackv1alpha1.ConditionConnected, vitistackv1alpha1.ConditionIdentityVerified,
		vitistackv1alpha1.ConditionRightsSufficient,
		vitistackv1alpha1.ConditionKubeVirtReady, vitistackv1alpha1.ConditionSchemaCompatible,
	} {
		condition := meta.FindStatusCondition(conditions, name)
		switch {
		case condition == nil, condition.Status == metav1.ConditionTrue:
			continue
		case name == vitistackv1alpha1.ConditionConnected && aboutIdentity(in.State.Reason):
			continue // the next one says what to do
		}
		return condition.Message + note
	}
	return meta.FindStatusCondition(conditions, vitistackv1alpha1.ConditionConnected).Message + note
}

// aboutIdentity tells the reasons of a lost contact that IdentityVerified explains better.
func aboutIdentity(reason string) bool {
	return reason == clientmgr.ReasonIdentityChanged || reason == clientmgr.ReasonIdentityUnverified
}

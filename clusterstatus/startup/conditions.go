package startup

import (
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/compatibility"
)

// Of returns what the status of a KubevirtConfig says about the checks of its cluster, in their
// order. A cluster that is not connected is told once, as that; nothing is said of what cannot be
// looked at meanwhile. It is pure.
func Of(config string, status vitistackv1alpha1.KubevirtConfigStatus, definitions []compatibility.Definition) []Result {
	connected := meta.FindStatusCondition(status.Conditions, vitistackv1alpha1.ConditionConnected)
	switch {
	case connected == nil, connected.Status == metav1.ConditionUnknown: // there is no verdict yet
		return nil
	case connected.Status == metav1.ConditionFalse:
		return []Result{{
			Check: Connectivity, Verdict: Warn, Message: "Remote cluster is not connected",
			Config: config, Reason: connected.Message,
		}}
	}
	results := []Result{{Check: Connectivity, Message: "Remote cluster is connected", Config: config}}
	if found := meta.FindStatusCondition(status.Conditions, vitistackv1alpha1.ConditionKubeVirtReady); found != nil {
		results = append(results, kubeVirt(config, *found, status.Versions.KubeVirt))
	}
	if found := meta.FindStatusCondition(status.Conditions, vitistackv1alpha1.ConditionSchemaCompatible); found != nil {
		results = append(results, compared(config, *found, definitions)...)
	}
	return results
}

// kubeVirt says whether KubeVirt is installed and running.
func kubeVirt(config string, condition metav1.Condition, version string) Result {
	result := Result{Check: KubeVirt, Config: config}
	switch {
	case condition.Status == metav1.ConditionUnknown:
		result.Verdict, result.Message, result.Reason = Unknown, "KubeVirt could not be checked", condition.Message
	case condition.Status == metav1.ConditionTrue:
		result.Message, result.Version = "KubeVirt is running", version
	case condition.Reason == vitistackv1alpha1.ReasonKubeVirtMissing:
		result.Verdict, result.Message, result.Reason = Warn, "KubeVirt is not installed", detailOf(condition)
	default:
		result.Verdict, result.Message, result.Reason = Warn, "KubeVirt is not running", detailOf(condition)
	}
	return result
}

// detailOf is the part of a condition's message behind its first colon, which the line itself does
// not say.
func detailOf(condition metav1.Condition) string {
	if _, detail, found := strings.Cut(condition.Message, ": "); found {
		return detail
	}
	return condition.Message
}

package clusterstatus

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/compatibility"
)

// SchemaChecker tells whether a cluster has what the operator writes and reads.
// compatibility.Checker is one.
type SchemaChecker interface {
	// Check asks a cluster, by the name of its KubevirtConfig, through a client that asks the cluster
	// itself.
	Check(ctx context.Context, kubevirtConfigName string, live client.Reader) compatibility.Answer
	// Forget drops what is remembered of a cluster.
	Forget(kubevirtConfigName string)
}

// checkSchema asks a cluster about its definitions, past all caches.
func checkSchema(
	ctx context.Context, checker SchemaChecker, remotes clientmgr.LiveGetter, config string,
) compatibility.Answer {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	live, err := remotes.Live(config)
	if err != nil {
		return compatibility.Answer{Message: "the definitions of kubevirt.io could not be read"}
	}
	return checker.Check(ctx, config, live)
}

// schemaCompatible is what the last look at the cluster's definitions says.
func schemaCompatible(in Input) metav1.Condition {
	condition := metav1.Condition{
		Type: vitistackv1alpha1.ConditionSchemaCompatible, Status: metav1.ConditionUnknown,
		Reason:  vitistackv1alpha1.ReasonNotChecked,
		Message: "the definitions of kubevirt.io were not looked at yet",
	}
	switch {
	case !in.State.Ready(): // what was seen through another connection is no news of this one
	case !in.Schema.Answered:
		if in.Schema.Message != "" {
			condition.Message = in.Schema.Message
		}
	case in.Schema.Compatible:
		condition.Status, condition.Reason, condition.Message = metav1.ConditionTrue,
			vitistackv1alpha1.ReasonSchemaCompatible, in.Schema.Message
	default:
		condition.Status, condition.Reason, condition.Message = metav1.ConditionFalse,
			vitistackv1alpha1.ReasonSchemaIncompatible, in.Schema.Message
	}
	return condition
}

// schema is what is known of the cluster's definitions; nil where nobody looks at them.
func (p *pass) schema() *compatibility.Answer {
	if p.options.Schemas == nil {
		return nil
	}
	if p.record.sight.schema == nil {
		return &compatibility.Answer{}
	}
	return p.record.sight.schema
}

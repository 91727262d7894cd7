package startup

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/clusterstatus/kubevirt"
)

// checkKubeVirt looks whether the cluster's KubeVirt is installed and running.
func checkKubeVirt(ctx context.Context, live client.Reader, config string) Result {
	result := Result{Check: KubeVirt, Config: config}
	switch state, err := kubevirt.Look(ctx, live); {
	case !state.Answered:
		result.Verdict, result.Message, result.Reason = Unknown, "KubeVirt could not be checked", reasonOf(err)
	case !state.Installed:
		result.Verdict, result.Message, result.Reason = Warn, "KubeVirt is not installed", state.Reason
	case !state.Ready:
		result.Verdict, result.Message, result.Reason = Warn, "KubeVirt is not running", state.Reason
	default:
		result.Message, result.Version = "KubeVirt is running", state.Version
	}
	return result
}

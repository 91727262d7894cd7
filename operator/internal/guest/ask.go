package guest

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"kubevirt.io/api/core"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
)

// Verb is what KubeVirt is asked to do.
type Verb struct {
	// Resource and Subresource are those of the group subresources.kubevirt.io.
	Resource, Subresource string
	// Reason is that of a Machine whose call was refused.
	Reason string
	doing  string
}

// The verbs.
var (
	VerbRestart = Verb{"virtualmachines", "restart", vitistackv1alpha1.ReasonRestartRefused, "restarting"}
	VerbPause   = Verb{"virtualmachineinstances", "pause", vitistackv1alpha1.ReasonPauseRefused, "pausing"}
	VerbResume  = Verb{"virtualmachineinstances", "unpause", vitistackv1alpha1.ReasonPauseRefused, "resuming"}
)

// Group is the API group of KubeVirt's verbs. Its aggregated API server answers them.
const Group = "subresources.kubevirt.io"

// Connections give the REST config of a cluster, whose transport is the connection's own.
type Connections interface {
	GetRESTConfigForConfig(ctx context.Context, kubevirtConfigName string) (*rest.Config, error)
}

// Call is one call about one guest.
type Call struct {
	// Config is the cluster's KubevirtConfig.
	Config string
	// Namespace and Name are the VirtualMachine's, which its instance has too.
	Namespace, Name string
	Verb            Verb
}

// Ask asks KubeVirt, through the cluster's own connection with its time-outs and limits. An error is a
// [*problem.Problem] that says what to do about it.
func (c Call) Ask(ctx context.Context, connections Connections) error {
	config, err := connections.GetRESTConfigForConfig(ctx, c.Config)
	if err != nil {
		return problem.Attempted(c.problem(err))
	}
	remote := clusters.Translated("KubevirtConfig", c.Config, caller{call: c, config: config})
	vm := &kubevirtv1.VirtualMachine{}
	return problem.Attempted(c.problem(remote.SubResource(c.Verb.Subresource).Update(ctx, vm)))
}

// problem says what an error of the call means.
func (c Call) problem(err error) error {
	const ready = vitistackv1alpha1.ConditionReady
	if err == nil {
		return nil
	}
	doing := fmt.Sprintf("%s the guest of VirtualMachine %s", c.Verb.doing, c.Name)
	switch {
	case apierrors.IsForbidden(err) && !isKubeVirts(err):
		return problem.Person(ready, vitistackv1alpha1.ReasonGuestRightMissing,
			"%s in %s needs the right to update %s/%s in the API group %s; give it in that cluster with: "+
				"kubectl apply -k deploy/remote/guest", doing, c.Config, c.Verb.Resource, c.Verb.Subresource, Group)
	case apierrors.IsForbidden(err), apierrors.IsConflict(err), apierrors.IsInvalid(err), apierrors.IsBadRequest(err),
		apierrors.IsMethodNotSupported(err):
		return problem.Person(ready, c.Verb.Reason, "KubeVirt in %s refuses %s: %s", c.Config, doing, err)
	default:
		return problem.Remote(err, c.Config, problem.At{Condition: ready, Doing: doing})
	}
}

// isKubeVirts reports whether KubeVirt itself refused a call, about one of its own objects: whoever
// lacks a right is refused about a resource of the subresources' group.
func isKubeVirts(err error) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status) && status.Status().Details != nil && status.Status().Details.Group == core.GroupName
}

// caller is a client that can make one call, so that its errors are told as those of every other.
type caller struct {
	client.Client
	call   Call
	config *rest.Config
}

// SubResource gives what makes the call.
func (c caller) SubResource(string) client.SubResourceClient { return verbCaller{caller: c} }

type verbCaller struct {
	client.SubResourceClient
	caller
}

// Update makes the call. KubeVirt answers without a body.
func (v verbCaller) Update(ctx context.Context, _ client.Object, _ ...client.SubResourceUpdateOption) error {
	config, c := rest.CopyConfig(v.config), v.call
	config.APIPath = "/apis"
	config.GroupVersion = &schema.GroupVersion{Group: Group, Version: "v1"}
	config.NegotiatedSerializer = scheme.Codecs.WithoutConversion()
	config.ContentType, config.AcceptContentTypes = "application/json", "" // virt-api answers with any type
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return err
	}
	httpClient.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	remote, err := rest.RESTClientForConfigAndClient(config, httpClient)
	if err != nil {
		return err
	}
	return remote.Put().Namespace(c.Namespace).Resource(c.Verb.Resource).Name(c.Name).SubResource(c.Verb.Subresource).
		Body([]byte("{}")).Do(ctx).Error()
}

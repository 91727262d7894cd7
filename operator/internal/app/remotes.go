package app

import (
	"fmt"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	kubevirtv1 "kubevirt.io/api/core/v1"
	exportv1 "kubevirt.io/api/export/v1beta1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/startup"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// NewScheme knows the types of the supervisor and of the remote clusters.
func NewScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, startup.AddToScheme, vitistackv1alpha1.AddToScheme,
		kubevirtv1.AddToScheme, exportv1.AddToScheme, cdiv1beta1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	return scheme, nil
}

// configsNamespaced tells whether the supervisor's KubevirtConfig is namespaced, as ours is, or
// cluster-scoped, as the public one is today. Where none is installed yet it will be ours.
func configsNamespaced(config *rest.Config) (bool, error) {
	httpClient, err := rest.HTTPClientFor(config)
	if err != nil {
		return false, err
	}
	mapper, err := apiutil.NewDynamicRESTMapper(config, httpClient)
	if err != nil {
		return false, err
	}
	kind := vitistackv1alpha1.SchemeGroupVersion.WithKind("KubevirtConfig")
	mapping, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
	switch {
	case meta.IsNoMatchError(err):
		return true, nil
	case err != nil:
		return false, fmt.Errorf("looking for the scope of KubevirtConfig: %w", err)
	}
	return mapping.Scope.Name() == meta.RESTScopeNameNamespace, nil
}

// objectsPerMiB is far more than there are objects of ours in a MiB.
const objectsPerMiB = 300

// RemoteOptions say what is cached of each remote cluster, and what rights that and the rest needs.
// Only what this supervisor made is cached. live reads Secrets in namespaces that nobody watches.
func RemoteOptions(options Options, supervisorUID string, live client.Reader) clientmgr.Options {
	trim := &observed.Trimmer{}
	mine := labels.SelectorFromSet(desired.SupervisorLabels(supervisorUID))
	return clientmgr.Options{
		ConfigsNamespace: options.Machine.ConfigsNamespace,
		Secrets:          live,
		Options: clusters.Options{
			Kinds: map[client.Object]cache.ByObject{
				&kubevirtv1.VirtualMachine{}:         {Label: mine, Transform: trim.VirtualMachine},
				&kubevirtv1.VirtualMachineInstance{}: {Label: mine, Transform: trim.Instance},
				&cdiv1beta1.DataVolume{}:             {Label: mine},
			},
			Rights: remoteRights(),
			Connection: clusters.Connection{Fill: clusters.Fill{
				MaxBytes: int64(options.ClusterCacheMiB) << 20, MaxObjects: options.ClusterCacheMiB * objectsPerMiB,
			}},
			UserAgent: "kubevirt-operator",
		},
		AllowUnverifiedIdentity: options.Machine.AllowUnverifiedIdentity,
		WarmStandby:             options.WarmStandby,
		Serves:                  options.part.serves(),
	}
}

// remoteRights are the rights of api/rbac's remote role, without those that only some Machines
// need.
func remoteRights() []authorizationv1.ResourceAttributes {
	var rights []authorizationv1.ResourceAttributes
	for _, each := range []struct {
		group, resource string
		verbs           []string
	}{
		{kubevirtv1.GroupVersion.Group, "virtualmachines", []string{"get", "list", "watch", "create", "patch", "delete"}},
		{kubevirtv1.GroupVersion.Group, "virtualmachineinstances", []string{"get", "list", "watch"}},
		{cdiv1beta1.SchemeGroupVersion.Group, "datavolumes", []string{"get", "list", "watch"}},
		{corev1.GroupName, "persistentvolumeclaims", []string{"get", "list"}},
		{corev1.GroupName, "namespaces", []string{"get"}},
	} {
		for _, verb := range each.verbs {
			rights = append(rights, authorizationv1.ResourceAttributes{Group: each.group, Resource: each.resource, Verb: verb})
		}
	}
	return rights
}

package main

import (
	"context"
	"fmt"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/admit"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/source"
)

type runtimeObject = runtime.Object

// askLive asks the cluster of a context itself.
func askLive(
	ctx context.Context, kubeconfig, name string, objects []unstructured.Unstructured,
) (crdcheck.Report, error) {
	config, name, err := source.Contexts(kubeconfig, name)
	if err != nil {
		return crdcheck.Report{}, err
	}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return crdcheck.Report{}, err
	}
	described, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return crdcheck.Report{}, err
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(described))
	var (
		subjects []crdcheck.Subject
		found    []crdcheck.Finding
		cluster  = name + " (live)"
	)
	for i := range objects {
		object := &objects[i]
		gvk := object.GroupVersionKind()
		mapping, err := mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
		if err != nil {
			return crdcheck.Report{}, fmt.Errorf("%s: %w", name, err)
		}
		var resources dynamic.ResourceInterface = client.Resource(mapping.Resource)
		if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
			namespace := object.GetNamespace()
			if namespace == "" {
				namespace = "default"
			}
			resources = client.Resource(mapping.Resource).Namespace(namespace)
		}
		verdict, err := admit.Live(ctx, resources, object.Object)
		if err != nil {
			return crdcheck.Report{}, fmt.Errorf("%s: %w", name, err)
		}
		crd := mapping.Resource.GroupResource().String()
		subjects = append(
			subjects, crdcheck.Subject{CRD: crd, Cluster: cluster, Version: gvk.Version, Object: nameOf(object)},
		)
		found = append(found, verdict.Findings(cluster, crd, gvk.Version, nameOf(object))...)
	}
	return crdcheck.NewReport(subjects, found), nil
}

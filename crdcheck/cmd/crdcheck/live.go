package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/admit"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/source"
)

// warnings are those of the answers to one object's requests, which follow each other.
type warnings []string

// HandleWarningHeader keeps a warning.
func (w *warnings) HandleWarningHeader(_ int, _, text string) { *w = append(*w, text) }

// liveCluster is a cluster that is asked itself.
type liveCluster struct {
	name   string
	client dynamic.Interface
	mapper meta.RESTMapper
	warned *warnings
}

func openLive(kubeconfig, name string) (*liveCluster, error) {
	config, name, err := source.Contexts(kubeconfig, name)
	if err != nil {
		return nil, err
	}
	warned := new(warnings)
	config = rest.CopyConfig(config)
	config.WarningHandler = warned
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	described, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, err
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(described))
	return &liveCluster{name: name + " (live)", client: client, mapper: mapper, warned: warned}, nil
}

// askLive asks the cluster of a context itself.
func askLive(ctx context.Context, d *render.Document, kubeconfig, name string, objects []object) error {
	cluster, err := openLive(kubeconfig, name)
	if err != nil {
		return err
	}
	for i := range objects {
		subject, findings, err := cluster.ask(ctx, &objects[i])
		if err != nil {
			return fmt.Errorf("%s: %s: %w", cluster.name, subject.Object, err)
		}
		tell(d, subject, objects[i].at, findings)
	}
	return nil
}

func (c *liveCluster) ask(ctx context.Context, o *object) (crdcheck.Subject, []crdcheck.Finding, error) {
	gvk := o.GroupVersionKind()
	subject := crdcheck.Subject{CRD: gvk.GroupKind().String(), Cluster: c.name, Version: gvk.Version, Object: o.label}
	mapping, err := c.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if meta.IsNoMatchError(err) {
		return subject, c.unserved(subject, gvk.GroupKind()), nil
	}
	if err != nil {
		return subject, nil, err
	}
	subject.CRD = mapping.Resource.GroupResource().String()
	var resources dynamic.ResourceInterface = c.client.Resource(mapping.Resource)
	if mapping.Scope.Name() == meta.RESTScopeNameNamespace {
		namespace := o.GetNamespace()
		if namespace == "" {
			namespace = "default"
		}
		resources = c.client.Resource(mapping.Resource).Namespace(namespace)
	}
	*c.warned = nil
	verdict, err := admit.Live(ctx, resources, o.Object)
	if err != nil {
		return subject, nil, err
	}
	slices.Sort(*c.warned)
	verdict.Warnings = slices.Compact(*c.warned)
	return subject, verdict.Findings(c.name, subject.CRD, gvk.Version, subject.Object), nil
}

// unserved is the finding about an object whose version, or whose kind, the cluster does not serve.
func (c *liveCluster) unserved(subject crdcheck.Subject, kind runtimeschema.GroupKind) []crdcheck.Finding {
	served, err := c.mapper.RESTMappings(kind)
	if err != nil || len(served) == 0 {
		return about(subject, crdcheck.RuleCRDMissing, "")
	}
	var versions []string
	for _, mapping := range served {
		versions = append(versions, mapping.GroupVersionKind.Version+" served")
	}
	found := about(subject, crdcheck.RuleVersionNotServed, "")
	found[0].New = strings.Join(versions, ", ")
	return found
}

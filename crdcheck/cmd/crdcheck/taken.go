package main

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"github.com/hashicorp/go-multierror"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/client-go/util/workqueue"

	"github.com/vitistack/kubevirt-multicluster/crdcheck/internal/several"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/internal/valid"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/source"
)

// takenByServers returns why an API server would not take definitions that differ between two
// places: what is said of their changes would be about nothing. A definition that a cluster has was
// taken already. names are those that are looked at, nil for all.
func takenByServers(ctx context.Context, sets []source.Set, names []string) error {
	var checks []func() []error
	for i, set := range sets {
		other := byName(sets[1-i])
		for j := range set.CRDs {
			crd := &set.CRDs[j]
			at, isFile := set.At[crd.Name]
			twin := other[crd.Name]
			if !isFile || names != nil && !slices.Contains(names, crd.Name) ||
				twin != nil && apiequality.Semantic.DeepEqual(crd.Spec, twin.Spec) {
				continue
			}
			checks = append(checks, func() (refused []error) {
				for _, reason := range several.Errors(valid.Definition(ctx, crd)) {
					refused = append(refused, fmt.Errorf("%s:%d: %w", at.File, at.Line, reason))
				}
				return refused
			})
		}
	}
	refused := make([][]error, len(checks))
	workqueue.ParallelizeUntil(ctx, runtime.GOMAXPROCS(0), len(checks), func(i int) { refused[i] = checks[i]() })
	return multierror.Append(nil, slices.Concat(refused...)...).ErrorOrNil()
}

func byName(set source.Set) map[string]*apiextensionsv1.CustomResourceDefinition {
	named := map[string]*apiextensionsv1.CustomResourceDefinition{}
	for i := range set.CRDs {
		named[set.CRDs[i].Name] = &set.CRDs[i]
	}
	return named
}

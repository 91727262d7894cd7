package kubevirt

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"
)

const (
	definitionsPath = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
	// writers is how many requests are sent to one API server at a time: it has few cores, and they
	// are not for one client alone.
	writers = 4
	// startTimeout is for each thing that is waited for, on a loaded machine.
	startTimeout = 2 * time.Minute
	pollInterval = 100 * time.Millisecond
)

// createDefinitions creates the definitions that are not there.
func createDefinitions(ctx context.Context, config *rest.Config, definitions []definition) error {
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return err
	}
	group, parallel := errgroup.WithContext(ctx)
	group.SetLimit(writers)
	for _, d := range definitions {
		group.Go(func() error { return create(parallel, client.RESTClient(), definitionsPath, d.name, d.raw) })
	}
	return group.Wait()
}

// create sends an object as it is, in JSON. One of its name that exists stays as it is.
func create(ctx context.Context, client rest.Interface, path, name string, raw []byte) error {
	err := client.Post().AbsPath(path).SetHeader("Content-Type", "application/json").Body(raw).Do(ctx).Error()
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("creating %s: %w", name, err)
	}
	return nil
}

// waitServed waits until discovery lists every version of every definition: an API server does so
// once it is established.
func waitServed(ctx context.Context, config *rest.Config, definitions []definition) error {
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return err
	}
	var missing string
	err = wait.PollUntilContextTimeout(ctx, pollInterval, startTimeout, true, func(ctx context.Context) (bool, error) {
		_, resources, _, err := client.GroupsAndMaybeResourcesWithContext(ctx)
		if err != nil {
			missing = err.Error()
			return false, nil
		}
		missing = firstMissing(resources, definitions)
		return missing == "", nil
	})
	if err != nil {
		return fmt.Errorf("waiting for %s: %w", missing, err)
	}
	return nil
}

// firstMissing returns the first definition that discovery does not list in a version that it
// serves, or "".
func firstMissing(resources map[schema.GroupVersion]*metav1.APIResourceList, definitions []definition) string {
	for _, d := range definitions {
		for _, version := range d.served {
			if !lists(resources[version], d.plural) {
				return d.name
			}
		}
	}
	return ""
}

func lists(resources *metav1.APIResourceList, plural string) bool {
	return resources != nil && slices.ContainsFunc(resources.APIResources, func(r metav1.APIResource) bool {
		return r.Name == plural
	})
}

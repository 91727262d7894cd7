package clusterstatus

import (
	"context"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

// pageSize is the number of Machines that one call to the API server asks for.
const pageSize = 500

// placed names the Machines that are placed in the cluster, as the cache has them.
func (p *pass) placed(ctx context.Context) ([]string, error) {
	machines := &vitistackv1alpha1.MachineList{}
	err := p.machines.List(ctx, machines, client.MatchingFields{clientmgr.IndexConfig: p.config.Name},
		client.UnsafeDisableDeepCopy)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(machines.Items))
	for i := range machines.Items {
		names = append(names, client.ObjectKeyFromObject(&machines.Items[i]).String())
	}
	return names, nil
}

// claim puts the finalizer on a KubevirtConfig that is in use, and the identity of its cluster. One
// that is being deleted takes no finalizer any more.
func (p *pass) claim(ctx context.Context) error {
	after := p.config.DeepCopy()
	changed := p.usage.Count > 0 && after.DeletionTimestamp.IsZero() &&
		controllerutil.AddFinalizer(after, vitistackv1alpha1.FinalizerKubevirtConfig)
	uid := clusterUID(p.config, p.state)
	if uid != "" && uid != after.Annotations[vitistackv1alpha1.AnnotationClusterUID] {
		identify(after, uid, p.state.FormerClusterUIDs)
		changed = true
	}
	if !changed {
		return nil
	}
	return p.patch(ctx, after)
}

// identify notes that a KubevirtConfig stands for a cluster from now on. Where a person accepted
// another cluster, the former identities stay known: the records of Machines and debts name them,
// and they could never be served otherwise. accepted are those that the client manager knows of: a
// second acceptance may have come before the first one was recorded here.
func identify(config *vitistackv1alpha1.KubevirtConfig, uid string, accepted []string) {
	recorded := recordedUID(config)
	noted := append(vitistackv1alpha1.FormerClusterUIDs(config), recorded)
	accepted = slices.DeleteFunc(slices.Clone(accepted), func(uid string) bool { return slices.Contains(noted, uid) })
	for _, former := range append([]string{recorded}, accepted...) {
		if former == "" || former == uid {
			continue
		}
		metav1.SetMetaDataAnnotation(&config.ObjectMeta, vitistackv1alpha1.AnnotationFormerClusterUIDs,
			vitistackv1alpha1.WithFormerClusterUID(config, former, uid))
	}
	metav1.SetMetaDataAnnotation(&config.ObjectMeta, vitistackv1alpha1.AnnotationClusterUID, uid)
}

// release takes the finalizer off a KubevirtConfig to which nothing is owed and that is not in use.
// It goes when the API server itself says so: what a cache does not show may still be there.
func (p *pass) release(ctx context.Context) error {
	if p.usage.Count > 0 || !controllerutil.ContainsFinalizer(p.config, vitistackv1alpha1.FinalizerKubevirtConfig) {
		return nil
	}
	owed, err := p.owed(ctx)
	if err != nil {
		return err
	}
	if len(owed) > 0 {
		p.debts = usageOf(owed)
		p.wake(p.debtInterval())
		return nil
	}
	names, err := p.referring(ctx)
	if err != nil {
		return fmt.Errorf("listing the machines of %s: %w", p.config.Name, err)
	}
	if len(names) > 0 {
		p.usage = usageOf(names)
		p.wake(countInterval)
		return nil
	}
	after := p.config.DeepCopy()
	controllerutil.RemoveFinalizer(after, vitistackv1alpha1.FinalizerKubevirtConfig)
	return p.patch(ctx, after)
}

// referring names the Machines that refer to the cluster, as the API server has them.
func (p *pass) referring(ctx context.Context) ([]string, error) {
	machines, err := p.allMachines(ctx)
	var names []string
	for _, machine := range machines {
		if slices.Contains(refersTo(machine), p.config.Name) {
			names = append(names, client.ObjectKeyFromObject(machine).String())
		}
	}
	return names, err
}

// allMachines returns the metadata of all Machines, as the API server has them.
func (p *pass) allMachines(ctx context.Context) ([]client.Object, error) {
	var machines []client.Object
	for next := ""; ; {
		page := &metav1.PartialObjectMetadataList{}
		page.SetGroupVersionKind(vitistackv1alpha1.SchemeGroupVersion.WithKind("MachineList"))
		if err := p.options.Live.List(ctx, page, client.Limit(pageSize), client.Continue(next)); err != nil {
			return nil, err
		}
		for i := range page.Items {
			machines = append(machines, &page.Items[i])
		}
		if next = page.Continue; next == "" {
			return machines, nil
		}
	}
}

// patch brings the metadata of the KubevirtConfig to after. It fails where somebody else has
// changed the object: finalizers are a list, and a patch replaces it.
func (p *pass) patch(ctx context.Context, after *vitistackv1alpha1.KubevirtConfig) error {
	patch := client.MergeFromWithOptions(p.config, client.MergeFromWithOptimisticLock{})
	if err := p.supervisor.Patch(ctx, after, patch); err != nil {
		return fmt.Errorf("patching KubevirtConfig %s: %w", p.config.Name, err)
	}
	p.record.patched(p.config, after)
	p.config = after
	return nil
}

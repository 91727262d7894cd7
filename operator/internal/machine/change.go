package machine

import (
	"context"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/client-go/util/csaupgrade"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/typed"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// change applies what the Machine wishes otherwise than last. The apply has all fields that are ours, with the values that they have, because
// an apply takes away what an earlier one has set; and it carries UID and resourceVersion, so that it can neither create nor meet another
// object, nor a list that somebody edits meanwhile.
func (p *pass) change(ctx context.Context, wish desired.Wish) error {
	if busy := p.vm.Status.SnapshotInProgress != nil || p.vm.Status.RestoreInProgress != nil; busy {
		return &Wait{
			Condition: vitistackv1alpha1.ConditionVirtualMachineReady, Reason: vitistackv1alpha1.ReasonSnapshotInProgress,
			Message: fmt.Sprintf("the change of VirtualMachine %s waits for a snapshot or restore to end", p.vm.Name),
		}
	}
	last, err := desired.ParseWish(p.vm.Annotations[vitistackv1alpha1.AnnotationAppliedWish])
	if err != nil {
		last = wish // nobody can tell what was wished last: it is written down anew, and nothing changed
	}
	var init *desired.CloudInit
	if wish.CloudInit != last.CloudInit {
		if init, err = p.cloudInit(ctx); err != nil {
			return err
		}
	}
	if err := p.grow(ctx, wish, last); err != nil {
		return err
	}
	if err := p.createSecret(ctx, init); err != nil { // first: once the wish is written down nobody comes back for it
		return err
	}
	if err := p.apply(ctx, init, wish, last); err != nil {
		return err
	}
	p.event(eventNormal, "Changed", "Apply", fmt.Sprintf("changed VirtualMachine %s in %s", p.vm.Name, p.ledger.Config))
	return nil
}

func (p *pass) apply(ctx context.Context, init *desired.CloudInit, wish, last desired.Wish) error {
	input, err := p.desiredInput(init), error(nil)
	if wish.AddsDisks(last) {
		if input.StorageClasses, err = p.storageClasses(ctx); err != nil {
			return err
		}
	}
	wanted, err := desired.VirtualMachine(input)
	if err != nil {
		return err
	}
	live, err := p.readToApply(ctx)
	if err != nil {
		return err
	}
	owned, err := ownedFields(live)
	if err != nil {
		return err
	}
	content, err := desired.Change{Live: live.Object, Owned: owned, Wanted: wanted, Now: wish, Last: last}.Apply()
	if err != nil {
		return err
	}
	object := &unstructured.Unstructured{Object: content}
	object.SetGroupVersionKind(kubevirtv1.VirtualMachineGroupVersionKind)
	object.SetNamespace(live.GetNamespace())
	object.SetName(live.GetName())
	object.SetUID(live.GetUID())
	object.SetResourceVersion(live.GetResourceVersion())
	object.SetAnnotations(merged(object.GetAnnotations(), map[string]string{vitistackv1alpha1.AnnotationAppliedWish: wish.String()}))
	err = p.remote.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), fieldOwner, client.ForceOwnership)
	return p.refused(err, "the change of VirtualMachine "+p.vm.Name)
}

// readToApply reads the VirtualMachine with all its fields, which the cache does not keep. Those that a create or a patch of ours has set are
// handed over to our applies, once: else they would stay for ever.
func (p *pass) readToApply(ctx context.Context) (*unstructured.Unstructured, error) {
	reader, err := p.KubevirtClientMgr.Live(p.ledger.Config)
	if err != nil {
		return nil, p.unreachable(err)
	}
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(kubevirtv1.VirtualMachineGroupVersionKind)
	if err := reader.Get(ctx, client.ObjectKeyFromObject(p.vm), live); err != nil {
		return nil, p.unreachable(err)
	}
	if live.GetUID() != p.vm.UID {
		return nil, apierrors.NewConflict(kubevirtv1.Resource("virtualmachines"), p.vm.Name, errors.New("another one has its name now"))
	}
	patch, err := csaupgrade.UpgradeManagedFieldsPatch(live, sets.New(string(fieldOwner)), string(fieldOwner))
	if err != nil {
		return nil, fmt.Errorf("handing over managed fields of VirtualMachine %s: %w", p.vm.Name, err)
	}
	if patch == nil {
		return live, nil
	}
	return live, p.refused(p.remote.Patch(ctx, live, client.RawPatch(types.JSONPatchType, patch)), "the change of VirtualMachine "+p.vm.Name)
}

// ownedFields are the fields that our last apply has set and nobody has changed since, with their values.
func ownedFields(live *unstructured.Unstructured) (map[string]any, error) {
	object, err := typed.DeducedParseableType.FromUnstructured(live.Object)
	if err != nil {
		return nil, fmt.Errorf("reading VirtualMachine %s: %w", live.GetName(), err)
	}
	for _, entry := range live.GetManagedFields() {
		if entry.Manager != string(fieldOwner) || entry.Operation != metav1.ManagedFieldsOperationApply || entry.Subresource != "" {
			continue
		}
		fields := &fieldpath.Set{}
		if err := fields.FromJSON(entry.FieldsV1.GetRawReader()); err != nil {
			return nil, fmt.Errorf("reading managed fields of VirtualMachine %s: %w", live.GetName(), err)
		}
		if owned, ok := object.ExtractItems(fields.Leaves()).AsValue().Unstructured().(map[string]any); ok {
			return owned, nil
		}
	}
	return map[string]any{}, nil
}

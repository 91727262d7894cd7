package provision

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// Applied is the wish that a VirtualMachine carries. found is false where it carries none that can
// be read: then nobody can tell what was wished last, and the present wish is written down without
// a change.
func Applied(vm *kubevirtv1.VirtualMachine) (last desired.Wish, found bool) {
	last, err := desired.ParseWish(vm.Annotations[vitistackv1alpha1.AnnotationAppliedWish])
	return last, err == nil
}

// Wishes are what the Machine wishes now, and what it wished when its VirtualMachine was last
// changed.
type Wishes struct{ Now, Last desired.Wish }

// Sources gives the cloud-init of the Machine. It is called only where a change concerns that.
type Sources func(context.Context) (*desired.CloudInit, error)

// Change changes a VirtualMachine in what the Machine wishes otherwise than last, and in nothing
// else. Each part of a change is a guarded patch of exactly the paths whose wish changed. Where the
// whole change is refused its parts are tried one by one, the run strategy first, so that a guest
// can be stopped whatever else is refused. changed is false where only the wish was written down,
// because the VirtualMachine has it.
func (j Job) Change(
	ctx context.Context, vm *kubevirtv1.VirtualMachine, class *vitistackv1alpha1.MachineClass, wishes Wishes,
	sources Sources,
) (changed bool, err error) {
	if vm.Status.SnapshotInProgress != nil || vm.Status.RestoreInProgress != nil {
		return false, problem.Cluster(vmReady, vitistackv1alpha1.ReasonSnapshotInProgress,
			"the change of VirtualMachine %s waits for a snapshot or restore to end", vm.Name)
	}
	init, err := j.changedInit(ctx, vm, wishes, sources)
	if err != nil {
		return false, err
	}
	if err := j.grow(ctx, vm, wishes); err != nil {
		return false, err
	}
	if err := j.Prepare(ctx); err != nil {
		return false, err
	}
	parts, live, err := j.parts(ctx, vm, class, init, wishes)
	if err != nil {
		return false, err
	}
	return len(desired.Join(parts).Patch) > 0, j.patchAll(ctx, live, parts, wishes)
}

// changedInit renders cloud-init where the Machine says something else about it, and puts its
// Secret there first: once the wish is written down nobody comes back for it.
func (j Job) changedInit(
	ctx context.Context, vm *kubevirtv1.VirtualMachine, wishes Wishes, sources Sources,
) (*desired.CloudInit, error) {
	if wishes.Now.CloudInit == wishes.Last.CloudInit {
		return nil, nil
	}
	init, err := sources(ctx)
	if err != nil {
		return nil, err
	}
	return init, j.CreateSecret(ctx, vm, init)
}

// parts reads the VirtualMachine with all its fields, which the cache does not keep, and says what
// to change in it.
func (j Job) parts(
	ctx context.Context, vm *kubevirtv1.VirtualMachine, class *vitistackv1alpha1.MachineClass, init *desired.CloudInit,
	wishes Wishes,
) ([]desired.Part, *unstructured.Unstructured, error) {
	at := problem.At{Condition: vmReady, Doing: "changing VirtualMachine " + vm.Name}
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(kubevirtv1.VirtualMachineGroupVersionKind)
	if err := j.Remote.Server.Get(ctx, client.ObjectKeyFromObject(vm), live); err != nil {
		return nil, nil, problem.Remote(err, j.Remote.Config, at)
	}
	if live.GetUID() != vm.UID {
		err := apierrors.NewConflict(kubevirtv1.Resource("virtualmachines"), vm.Name,
			errors.New("another one has its name now"))
		return nil, nil, problem.Remote(err, j.Remote.Config, at)
	}
	input := j.input(class, init)
	input.Last = &wishes.Last
	if wishes.Now.AddsDisks(wishes.Last) {
		var err error
		if input.StorageClasses, err = j.storageClasses(ctx, &wishes.Last); err != nil {
			return nil, nil, err
		}
	}
	wanted, err := desired.VirtualMachine(input)
	if err != nil {
		return nil, nil, problem.Pure(err, vmReady)
	}
	parts, err := desired.Change{Live: live.Object, Wanted: wanted, Now: wishes.Now, Last: wishes.Last}.Parts()
	return parts, live, problem.Pure(err, vmReady)
}

// patchAll applies all parts at once. Where that is refused it applies them one by one, the run
// strategy first, and leaves out those that are refused. It returns the first refusal.
func (j Job) patchAll(ctx context.Context, live *unstructured.Unstructured, parts []desired.Part, wishes Wishes) error {
	whole := desired.Join(parts)
	whole.Applied = wishes.Now
	err := j.patch(ctx, live, whole)
	refused, isProblem := problem.As(err)
	if len(parts) < 2 || !isProblem || !refused.Blocked() {
		return err
	}
	var first error
	last := wishes.Last
	for _, part := range parts {
		part.Applied = part.AppliedOn(last)
		switch err := j.patch(ctx, live, part); {
		case err == nil:
			last = part.Applied
		case first == nil:
			first = err
		}
	}
	return first
}

// patch applies one part. It carries UID and resourceVersion, so that it can neither create nor
// meet another object, nor a list that somebody edits meanwhile.
func (j Job) patch(ctx context.Context, live *unstructured.Unstructured, part desired.Part) error {
	at := problem.At{Condition: vmReady, Doing: fmt.Sprintf("changing %s of VirtualMachine %s", part.What, live.GetName())}
	body := map[string]any{}
	for key, value := range part.Patch {
		body[key] = value
	}
	body["metadata"] = map[string]any{
		"uid": string(live.GetUID()), "resourceVersion": live.GetResourceVersion(),
		"annotations": map[string]any{vitistackv1alpha1.AnnotationAppliedWish: part.Applied.String()},
	}
	text, err := json.Marshal(body)
	if err != nil {
		return problem.Pure(err, vmReady)
	}
	err = j.Remote.Writer.Patch(ctx, live, client.RawPatch(types.MergePatchType, text), side.FieldOwner)
	return problem.Remote(err, j.Remote.Config, at)
}

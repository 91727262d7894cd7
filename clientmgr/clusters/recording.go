package clusters

import (
	"context"
	"encoding/json"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/apiutil"
)

// recordingClient notes each write that succeeds.
type recordingClient struct {
	client.Client
	overlay *overlay
}

// record runs a write and notes what the server returned in object.
func (r *recordingClient) record(object client.Object, dryRun []string, call func() error) error {
	return r.noting(object, dryRun, call, func(kind declaration) { r.overlay.note(kind, object) })
}

// noting runs a write of an object and then notes it in each form in which its kind is read. A
// write that fails, or that is a dry run, is not noted.
func (r *recordingClient) noting(
	object client.Object, dryRun []string, call func() error, note func(declaration),
) error {
	gvk, err := apiutil.GVKForObject(object, r.overlay.scheme)
	if err != nil || len(dryRun) > 0 {
		return call()
	}
	kinds := r.overlay.formsOf(gvk)
	if len(kinds) == 0 {
		return call()
	}
	end := r.overlay.begin(kinds)
	defer end()
	if err := call(); err != nil {
		return err
	}
	for _, kind := range kinds {
		note(kind)
	}
	return nil
}

func (r *recordingClient) Create(ctx context.Context, object client.Object, opts ...client.CreateOption) error {
	dryRun := (&client.CreateOptions{}).ApplyOptions(opts).DryRun
	return r.record(object, dryRun, func() error { return r.Client.Create(ctx, object, opts...) })
}

func (r *recordingClient) Update(ctx context.Context, object client.Object, opts ...client.UpdateOption) error {
	dryRun := (&client.UpdateOptions{}).ApplyOptions(opts).DryRun
	return r.record(object, dryRun, func() error { return r.Client.Update(ctx, object, opts...) })
}

func (r *recordingClient) Patch(
	ctx context.Context, object client.Object, patch client.Patch, opts ...client.PatchOption,
) error {
	dryRun := (&client.PatchOptions{}).ApplyOptions(opts).DryRun
	return r.record(object, dryRun, func() error { return r.Client.Patch(ctx, object, patch, opts...) })
}

// Apply notes what the server wrote back into the configuration.
func (r *recordingClient) Apply(
	ctx context.Context, configuration runtime.ApplyConfiguration, opts ...client.ApplyOption,
) error {
	dryRun := (&client.ApplyOptions{}).ApplyOptions(opts).DryRun
	return r.recordApply(configuration, dryRun, func() error { return r.Client.Apply(ctx, configuration, opts...) })
}

// recordApply runs an apply and notes its result.
func (r *recordingClient) recordApply(
	configuration runtime.ApplyConfiguration, dryRun []string, call func() error,
) error {
	asked, err := contentOf(configuration)
	if err != nil || len(dryRun) > 0 {
		return call()
	}
	kinds := r.overlay.formsOf(asked.GroupVersionKind())
	if len(kinds) == 0 {
		return call()
	}
	end := r.overlay.begin(kinds)
	defer end()
	if err := call(); err != nil {
		return err
	}
	if returned, err := contentOf(configuration); err == nil {
		for _, kind := range kinds {
			r.overlay.note(kind, returned)
		}
	}
	return nil
}

func contentOf(configuration runtime.ApplyConfiguration) (*unstructured.Unstructured, error) {
	data, err := json.Marshal(configuration)
	if err != nil {
		return nil, err
	}
	object := &unstructured.Unstructured{}
	return object, object.UnmarshalJSON(data)
}

// Delete notes that the object is going or gone.
func (r *recordingClient) Delete(ctx context.Context, object client.Object, opts ...client.DeleteOption) error {
	options := (&client.DeleteOptions{}).ApplyOptions(opts)
	call := func() error { return r.Client.Delete(ctx, object, opts...) }
	return r.noting(object, options.DryRun, call, func(kind declaration) {
		uid := object.GetUID()
		if options.Preconditions != nil && options.Preconditions.UID != nil {
			uid = *options.Preconditions.UID
		}
		r.overlay.remember(writeKey{kind, client.ObjectKeyFromObject(object)}, write{uid: uid, deleted: true})
	})
}

func (r *recordingClient) Status() client.SubResourceWriter { return r.SubResource("status") }

// SubResource notes the writes to status: they return the whole object.
func (r *recordingClient) SubResource(name string) client.SubResourceClient {
	if name != "status" {
		return r.Client.SubResource(name)
	}
	return &recordingStatus{SubResourceClient: r.Client.SubResource(name), of: r}
}

type recordingStatus struct {
	client.SubResourceClient
	of *recordingClient
}

func (s *recordingStatus) Update(
	ctx context.Context, object client.Object, opts ...client.SubResourceUpdateOption,
) error {
	options := (&client.SubResourceUpdateOptions{}).ApplyOptions(opts)
	call := func() error { return s.SubResourceClient.Update(ctx, object, opts...) }
	return s.of.record(orBody(object, options.SubResourceBody), options.DryRun, call)
}

func (s *recordingStatus) Patch(
	ctx context.Context, object client.Object, patch client.Patch, opts ...client.SubResourcePatchOption,
) error {
	options := (&client.SubResourcePatchOptions{}).ApplyOptions(opts)
	call := func() error { return s.SubResourceClient.Patch(ctx, object, patch, opts...) }
	return s.of.record(orBody(object, options.SubResourceBody), options.DryRun, call)
}

func (s *recordingStatus) Apply(
	ctx context.Context, configuration runtime.ApplyConfiguration, opts ...client.SubResourceApplyOption,
) error {
	options := &client.SubResourceApplyOptions{}
	options.ApplyOpts(opts)
	call := func() error { return s.SubResourceClient.Apply(ctx, configuration, opts...) }
	if options.SubResourceBody != nil {
		return s.of.recordApply(options.SubResourceBody, options.DryRun, call)
	}
	return s.of.recordApply(configuration, options.DryRun, call)
}

// orBody returns what the server's answer is decoded into.
func orBody(object, body client.Object) client.Object {
	if body != nil {
		return body
	}
	return object
}

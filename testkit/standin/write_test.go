package standin

import (
	"context"
	"fmt"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// write is a request, and how an API server would answer it.
type write struct {
	name, reason string
	do           func(ctx context.Context) error
	want         func(error) bool
}

// TestWrites holds the answers to writes to those of an API server. The writes follow each other.
func TestWrites(t *testing.T) {
	w := newWorld(t)
	must(t, w.client.Create(t.Context(), newClaim("kept")))
	for _, tc := range slices.Concat(w.creations(), w.patches(t), w.deletions()) {
		if err := tc.do(t.Context()); !tc.want(err) {
			t.Errorf("%s: %s: got %v", tc.name, tc.reason, err)
		}
	}
}
func is(reason metav1.StatusReason) func(error) bool {
	return func(err error) bool { return apierrors.ReasonForError(err) == reason }
}

func fine(err error) bool { return err == nil }

func (w *world) creations() []write {
	return []write{
		{"again", "two objects of one name would be one for every reader",
			func(ctx context.Context) error { return w.client.Create(ctx, newClaim("kept")) },
			is(metav1.StatusReasonAlreadyExists)},
		{"no namespace", "an object lives in a namespace that exists",
			func(ctx context.Context) error {
				lost := newClaim("lost")
				lost.Namespace = "nowhere"
				return w.client.Create(ctx, lost)
			}, is(metav1.StatusReasonNotFound)},
		{"trial", "a trial is answered as the write would be, and keeps nothing",
			func(ctx context.Context) error { return w.client.Create(ctx, newClaim("tried"), client.DryRunAll) }, fine},
		{"after the trial", "a trial that is kept would be a write",
			func(ctx context.Context) error {
				return w.client.Get(ctx, client.ObjectKey{Namespace: "default", Name: "tried"}, newClaim(""))
			}, is(metav1.StatusReasonNotFound)},
	}
}

func (w *world) patches(t *testing.T) []write {
	claim := func() *corev1.PersistentVolumeClaim {
		claim := newClaim("kept")
		_ = w.client.Get(t.Context(), client.ObjectKeyFromObject(claim), claim) // the case says what is missing
		return claim
	}
	stale := claim()
	return []write{
		{"merge patch", "what is not named stays",
			func(ctx context.Context) error {
				patch := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"labels":{"more":"yes"}}}`))
				if err := w.client.Patch(ctx, newClaim("kept"), patch); err != nil {
					return err
				}
				if got := claim().Labels; got["of"] != "test" || got["more"] != "yes" {
					return fmt.Errorf("labels %v", got)
				}
				return nil
			}, fine},
		{"JSON patch", "a test that holds lets the operations after it be done",
			func(ctx context.Context) error {
				patch := client.RawPatch(types.JSONPatchType, []byte(
					`[{"op":"test","path":"/metadata/labels/more","value":"yes"},{"op":"remove","path":"/metadata/labels/more"}]`))
				if err := w.client.Patch(ctx, newClaim("kept"), patch); err != nil {
					return err
				}
				if _, left := claim().Labels["more"]; left {
					return fmt.Errorf("the label is left")
				}
				return nil
			}, fine},
		{"JSON patch whose test fails", "the operator guards its patches by such tests",
			func(ctx context.Context) error {
				patch := client.RawPatch(types.JSONPatchType, []byte(`[{"op":"test","path":"/metadata/name","value":"other"}]`))
				return w.client.Patch(ctx, newClaim("kept"), patch)
			}, is(metav1.StatusReasonInvalid)},
		{"guarded patch of an old version", "the ledger rests on this conflict",
			func(ctx context.Context) error {
				changed := stale.DeepCopy()
				changed.Labels["late"] = "yes"
				return w.client.Patch(ctx, changed, client.MergeFromWithOptions(stale, client.MergeFromWithOptimisticLock{}))
			}, is(metav1.StatusReasonConflict)},
		{"patch of another object of the name", "a write with a UID touches no other object",
			func(ctx context.Context) error {
				patch := client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"uid":"another"}}`))
				return w.client.Patch(ctx, newClaim("kept"), patch)
			}, is(metav1.StatusReasonConflict)},
		{"list of definitions", "the operator's role does not allow it, and a list of them is megabytes",
			func(ctx context.Context) error {
				list := &metav1.PartialObjectMetadataList{}
				list.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1",
					Kind: "CustomResourceDefinitionList"})
				return w.client.List(ctx, list)
			}, is(metav1.StatusReasonForbidden)},
		{"server-side apply", "what is not done is refused and never half done",
			func(ctx context.Context) error {
				apply := client.RawPatch(types.ApplyPatchType, []byte(`{}`))
				return w.client.Patch(ctx, newClaim("kept"), apply, client.FieldOwner("a"))
			}, is(metav1.StatusReasonUnsupportedMediaType)},
	}
}

func (w *world) deletions() []write {
	return []write{
		{"deletion of another object of the name", "a deletion with a UID deletes no other object",
			func(ctx context.Context) error {
				return w.client.Delete(ctx, newClaim("kept"), client.Preconditions{UID: ptr(types.UID("another"))})
			}, is(metav1.StatusReasonConflict)},
		{"deletion", "it is gone at once where nothing holds it",
			func(ctx context.Context) error { return w.client.Delete(ctx, newClaim("kept")) }, fine},
		{"deletion of what is gone", "a second deletion finds nothing",
			func(ctx context.Context) error { return w.client.Delete(ctx, newClaim("kept")) },
			is(metav1.StatusReasonNotFound)},
	}
}

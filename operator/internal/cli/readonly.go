package cli

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

var errReadOnly = errors.New("this command writes nothing")

// readOnly is a client whose writes fail: what only explains must not be able to change anything.
type readOnly struct{ client.Client }

// Create fails.
func (readOnly) Create(context.Context, client.Object, ...client.CreateOption) error {
	return errReadOnly
}

// Delete fails.
func (readOnly) Delete(context.Context, client.Object, ...client.DeleteOption) error {
	return errReadOnly
}

// Update fails.
func (readOnly) Update(context.Context, client.Object, ...client.UpdateOption) error {
	return errReadOnly
}

// Patch fails.
func (readOnly) Patch(context.Context, client.Object, client.Patch, ...client.PatchOption) error {
	return errReadOnly
}

// Apply fails.
func (readOnly) Apply(context.Context, runtime.ApplyConfiguration, ...client.ApplyOption) error {
	return errReadOnly
}

// DeleteAllOf fails.
func (readOnly) DeleteAllOf(context.Context, client.Object, ...client.DeleteAllOfOption) error {
	return errReadOnly
}

// Status has no writer.
func (readOnly) Status() client.SubResourceWriter { return nil }

// SubResource has no client.
func (readOnly) SubResource(string) client.SubResourceClient { return nil }

package secrecy

import (
	"context"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Client returns a client whose errors repeat nothing of the Secrets that it writes and deletes.
// Their kind stays: errors.As and the functions of apierrors answer as before.
func Client(c client.Client) client.Client { return discreet{Client: c} }

type discreet struct{ client.Client }

// Create implements client.Writer.
func (d discreet) Create(ctx context.Context, object client.Object, opts ...client.CreateOption) error {
	hide := hiding(object)
	return hide(d.Client.Create(ctx, object, opts...))
}

// Update implements client.Writer.
func (d discreet) Update(ctx context.Context, object client.Object, opts ...client.UpdateOption) error {
	hide := hiding(object)
	return hide(d.Client.Update(ctx, object, opts...))
}

// Patch implements client.Writer.
func (d discreet) Patch(ctx context.Context, object client.Object, p client.Patch, opts ...client.PatchOption) error {
	hide := hiding(object)
	return hide(d.Client.Patch(ctx, object, p, opts...))
}

// Delete implements client.Writer.
func (d discreet) Delete(ctx context.Context, object client.Object, opts ...client.DeleteOption) error {
	hide := hiding(object)
	return hide(d.Client.Delete(ctx, object, opts...))
}

// hiding returns what leaves out of an error what it repeats of an object. It looks at the object
// before the call, which may change it.
func hiding(object client.Object) func(error) error {
	secret, isSecret := object.(*corev1.Secret)
	if !isSecret {
		return func(err error) error { return err }
	}
	contents := slices.Collect(maps.Values(secret.Data))
	for _, text := range secret.StringData {
		contents = append(contents, []byte(text))
	}
	names := strings.NewReplacer(secret.Name, " ", secret.Namespace, " ") // they may stand in cloud-init too
	if secret.Name == "" || secret.Namespace == "" {
		names = strings.NewReplacer()
	}
	return func(err error) error {
		if err == nil || len(contents) > 0 && !Quotes(names.Replace(err.Error()), contents...) {
			return err
		}
		return &hidden{err: err}
	}
}

// hidden is an error whose words are left out.
type hidden struct{ err error }

// Error names the server's reason and says where its words are.
func (h *hidden) Error() string {
	text := "the answer may repeat what is in the Secret and is not shown: the cluster's audit log has it"
	if reason := apierrors.ReasonForError(h.err); reason != "" {
		return string(reason) + "; " + text
	}
	return text
}

// Unwrap keeps the error's kind.
func (h *hidden) Unwrap() error { return h.err }

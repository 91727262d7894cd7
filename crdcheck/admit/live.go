package admit

import (
	"context"
	"errors"
	"regexp"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
)

// Live asks the cluster itself, by creating the object without keeping it (dryRun=All,
// fieldValidation=Strict): admission webhooks without side effects have their say too. It needs the
// right to create. The resources are those of the object's kind and namespace. The verdict has
// Accepted, Pruned, Refused and Object alone; an object that exists already is accepted. Errors are
// those of the client, a missing right among them.
func Live(ctx context.Context, resources dynamic.ResourceInterface, object map[string]any) (Verdict, error) {
	verdict := Verdict{Pruned: strict(ctx, resources, object)}
	kept, err := dryRun(ctx, resources, object, metav1.FieldValidationIgnore)
	var status apierrors.APIStatus
	switch {
	case err == nil:
		verdict.Accepted, verdict.Object = true, kept.Object
	case apierrors.IsAlreadyExists(err):
		verdict.Accepted = true
	case errors.As(err, &status) &&
		(apierrors.IsInvalid(err) || apierrors.IsBadRequest(err) || apierrors.IsNotFound(err)): // of its namespace
		verdict.Refused = refused(status.Status())
	default:
		return Verdict{}, err
	}
	return verdict, nil
}

func dryRun(
	ctx context.Context, resources dynamic.ResourceInterface, object map[string]any, mode string,
) (*unstructured.Unstructured, error) {
	copied := unstructured.Unstructured{Object: object}
	return resources.Create(
		ctx, copied.DeepCopy(), metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: mode},
	)
}

// unknownField is how the API server names a field that strict validation does not know.
var unknownField = regexp.MustCompile(`unknown field ("(?:[^"\\]|\\.)*")`)

// strict returns the fields that strict validation does not know.
func strict(ctx context.Context, resources dynamic.ResourceInterface, object map[string]any) []string {
	_, err := dryRun(ctx, resources, object, metav1.FieldValidationStrict)
	if !apierrors.IsBadRequest(err) {
		return nil // what else is wrong is asked for next
	}
	var paths []string
	for _, found := range unknownField.FindAllStringSubmatch(err.Error(), -1) {
		if path, quoted := strconv.Unquote(found[1]); quoted == nil {
			paths = append(paths, path)
		}
	}
	return sortedOnce(paths)
}

func refused(status metav1.Status) []Refusal {
	if status.Details == nil || len(status.Details.Causes) == 0 {
		return []Refusal{{Type: string(status.Reason), Message: status.Message}}
	}
	var all []Refusal
	for _, cause := range status.Details.Causes {
		path := cause.Field
		if path == "<nil>" || path == "[]" {
			path = ""
		}
		all = append(all, Refusal{Type: string(cause.Type), Path: path, Message: cause.Message})
	}
	return all
}

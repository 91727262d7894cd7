// Package valid tells what an API server says of a definition before it serves it, with the
// server's own code. It is apart from package admit because that code brings a gRPC client along.
package valid

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/hashicorp/go-multierror"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Definition returns why an API server would refuse to create this definition, nil where it would
// take it: a *multierror.Error with an error for each reason, sorted, in the server's words. The
// definition is not changed, and its status has no part in it.
func Definition(ctx context.Context, crd *apiextensionsv1.CustomResourceDefinition) error {
	defaulted := *crd // schemas, which are large, get no defaults: they are not copied
	defaulted.Spec.Versions = slices.Clone(crd.Spec.Versions)
	defaulted.Spec.Conversion = crd.Spec.Conversion.DeepCopy()
	defaulted.Status = apiextensionsv1.CustomResourceDefinitionStatus{}
	apiextensionsv1.SetObjectDefaults_CustomResourceDefinition(&defaulted)
	var internal apiextensions.CustomResourceDefinition
	convert := apiextensionsv1.Convert_v1_CustomResourceDefinition_To_apiextensions_CustomResourceDefinition
	if err := convert(&defaulted, &internal, nil); err != nil {
		return fmt.Errorf("%s: %w", crd.Name, err)
	}
	var refused *multierror.Error
	for _, reason := range validation.ValidateCustomResourceDefinition(ctx, &internal) {
		refused = multierror.Append(refused, refusal{crd.Name, reason})
	}
	if refused == nil {
		return nil
	}
	slices.SortFunc(refused.Errors, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	refused.Errors = slices.CompactFunc(refused.Errors, func(a, b error) bool { return a.Error() == b.Error() })
	return refused
}

// longest is how long a refusal may be before the value that is refused is left out of it.
const longest = 300

// refusal is one reason of the server's.
type refusal struct {
	crd    string
	reason *field.Error
}

func (r refusal) Error() string {
	text := r.reason.Error()
	if len(text) > longest {
		text = fmt.Sprintf("%s: %s: %s", r.reason.Field, r.reason.Type, r.reason.Detail)
	}
	return "no API server takes " + r.crd + ": " + text
}

// Unwrap returns the server's own error.
func (r refusal) Unwrap() error { return r.reason }

package admit

import (
	"fmt"
	"math"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// scaleErrors are what the API server refuses about the fields that a scale subresource shows, nil
// where the version has none. The words are those of
// k8s.io/apiextensions-apiserver/pkg/registry/customresource, which does not export them.
func scaleErrors(object map[string]any, scale *apiextensionsv1.CustomResourceSubresourceScale) field.ErrorList {
	if scale == nil {
		return nil
	}
	var errs field.ErrorList
	for _, path := range []string{scale.SpecReplicasPath, scale.StatusReplicasPath} {
		replicas, _, err := unstructured.NestedInt64(object, fieldsOf(path)...)
		switch {
		case err != nil:
			errs = append(errs, field.Invalid(field.NewPath(path), replicas, err.Error()))
		case replicas < 0:
			errs = append(errs, field.Invalid(field.NewPath(path), replicas, "should be a non-negative integer"))
		case replicas > math.MaxInt32:
			most := fmt.Sprintf("should be less than or equal to %v", math.MaxInt32)
			errs = append(errs, field.Invalid(field.NewPath(path), replicas, most))
		}
	}
	if scale.LabelSelectorPath != nil {
		selector, _, err := unstructured.NestedString(object, fieldsOf(*scale.LabelSelectorPath)...)
		if err != nil {
			errs = append(errs, field.Invalid(field.NewPath(*scale.LabelSelectorPath), selector, err.Error()))
		}
	}
	return errs
}

func fieldsOf(path string) []string { return strings.Split(strings.TrimPrefix(path, "."), ".") }

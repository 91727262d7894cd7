package admit

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel/model"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/listtype"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	metavalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"k8s.io/apiserver/pkg/cel/common"
)

// Create tells what the API server would do with a new object, as decoded from JSON. The object is
// not changed. The error is ErrOtherKind, ErrNotServed, that of ctx, or what keeps the object from
// being looked at, such as metadata of a wrong type.
func (d *Definition) Create(ctx context.Context, object map[string]any) (Verdict, error) {
	v, verdict, kept, err := d.take(object)
	if err != nil {
		return Verdict{}, err
	}
	if v.status {
		delete(kept, "status") // written through its own subresource
	}
	errs, err := d.metadata(kept, nil)
	if err != nil {
		return Verdict{}, err
	}
	errs = append(errs, validation.ValidateCustomResource(nil, kept, v.validator)...)
	errs = append(errs, scaleErrors(kept, v.scale)...)
	errs = append(errs, objectmeta.Validate(ctx, nil, kept, v.structural, false)...)
	errs = append(errs, listtype.ValidateListSetsAndMaps(nil, v.structural, kept)...)
	if v.rules != nil {
		if blocked := blocking(errs); blocked != nil {
			errs = append(errs, blocked)
		} else {
			found, _ := v.rules.Validate(ctx, nil, v.structural, kept, nil, celconfig.RuntimeCELCostBudget)
			errs = append(errs, found...)
		}
	}
	verdict, err = d.finish(ctx, v, verdict, kept, errs)
	return verdict.warned(kept, nil), err
}

// Update tells what the API server would do with an object that replaces an old one. What was wrong
// before and has not changed is let pass (ratcheting, Kubernetes 1.33). Errors are those of Create.
func (d *Definition) Update(ctx context.Context, object, old map[string]any) (Verdict, error) {
	v, verdict, kept, err := d.take(object)
	if err != nil {
		return Verdict{}, err
	}
	_, _, before, err := d.take(old)
	if err != nil {
		return Verdict{}, fmt.Errorf("the old object: %w", err)
	}
	if v.status {
		delete(kept, "status")
		if status, found := before["status"]; found {
			kept["status"] = status // an update of the object leaves it alone
		}
	}
	errs, err := d.metadata(kept, before)
	if err != nil {
		return Verdict{}, err
	}
	correlated := common.NewCorrelatedObject(kept, before, &model.Structural{Structural: v.structural})
	errs = append(
		errs,
		validation.ValidateCustomResourceUpdate(nil, kept, before, v.validator, validation.WithRatcheting(correlated))...)
	errs = append(errs, scaleErrors(kept, v.scale)...)
	errs = append(errs, objectmeta.Validate(ctx, nil, kept, v.structural, false)...)
	if len(listtype.ValidateListSetsAndMaps(nil, v.structural, before)) == 0 {
		errs = append(errs, listtype.ValidateListSetsAndMaps(nil, v.structural, kept)...)
	}
	if v.rules != nil {
		if blocked := blocking(errs); blocked != nil {
			errs = append(errs, blocked)
		} else {
			found, _ := v.rules.Validate(
				ctx, nil, v.structural, kept, before, celconfig.RuntimeCELCostBudget, cel.WithRatcheting(correlated))
			errs = append(errs, found...)
		}
	}
	verdict, err = d.finish(ctx, v, verdict, kept, errs)
	return verdict.warned(kept, before), err
}

// take does what the API server does when it decodes an object: it returns the version, what was
// pruned and filled in, and the object that is left.
func (d *Definition) take(object map[string]any) (*version, Verdict, map[string]any, error) {
	u := unstructured.Unstructured{Object: object}
	gv, err := runtimeschema.ParseGroupVersion(u.GetAPIVersion())
	if err != nil || gv.Group != d.group || u.GetKind() != d.kind {
		return nil, Verdict{}, nil, fmt.Errorf("%s of %q: %w %s", u.GetKind(), u.GetAPIVersion(), ErrOtherKind, d.name)
	}
	v := d.versions[gv.Version]
	if v == nil || !v.served {
		return nil, Verdict{}, nil, fmt.Errorf("%s of %s: %w", gv.Version, d.name, ErrNotServed)
	}
	copied, err := copyJSON(object, "")
	if err != nil {
		return nil, Verdict{}, nil, err
	}
	kept := copied.(map[string]any) //nolint:forcetypeassert // the copy of a map
	pruned, err := v.coerce(kept, d.keepsUnknown)
	if err != nil {
		return nil, Verdict{}, nil, err
	}
	verdict := Verdict{Pruned: sortedOnce(pruned), Unchecked: unchecked(kept, v.structural), Defaulted: v.fill(kept)}
	if v.deprecated != "" {
		verdict.Warnings = []string{v.deprecated}
	}
	return v, verdict, kept, nil
}

func sortedOnce(paths []string) []string {
	slices.Sort(paths)
	return slices.Compact(paths)
}

// metadata validates the object's own metadata.
func (d *Definition) metadata(object, old map[string]any) (field.ErrorList, error) {
	is, err := metaOf(object)
	if err != nil {
		return nil, err
	}
	path := field.NewPath("metadata")
	if old == nil {
		if is.Name == "" && is.GenerateName != "" {
			is.Name = is.GenerateName + "xxxxx" // the server makes it
		}
		if d.namespaced && is.Namespace == "" {
			is.Namespace = metav1.NamespaceDefault // a client's request always names one
		}
		return metavalidation.ValidateObjectMeta(is, d.namespaced, metavalidation.NameIsDNSSubdomain, path), nil
	}
	was, err := metaOf(old)
	if err != nil {
		return nil, err
	}
	if is.ResourceVersion == "" {
		is.ResourceVersion = was.ResourceVersion
	}
	if is.UID == "" {
		is.UID = was.UID
	}
	is.CreationTimestamp, is.DeletionTimestamp = was.CreationTimestamp, was.DeletionTimestamp
	is.DeletionGracePeriodSeconds = was.DeletionGracePeriodSeconds
	is.Generation = max(is.Generation, was.Generation)
	errs := metavalidation.ValidateObjectMeta(is, d.namespaced, func(string, bool) []string { return nil }, path)
	return append(errs, metavalidation.ValidateObjectMetaUpdate(is, was, path)...), nil
}

func metaOf(object map[string]any) (*metav1.ObjectMeta, error) {
	is, found, err := objectmeta.GetObjectMeta(object, false)
	if err != nil {
		return nil, err
	}
	if !found || is == nil {
		return &metav1.ObjectMeta{}, nil
	}
	return is, nil
}

// blocking is what the API server says where errors keep it from evaluating CEL rules.
func blocking(errs field.ErrorList) *field.Error {
	for _, err := range errs {
		switch err.Type {
		case field.ErrorTypeNotSupported,
			field.ErrorTypeRequired,
			field.ErrorTypeTooLong,
			field.ErrorTypeTooMany,
			field.ErrorTypeTypeInvalid:
			return field.Invalid(
				nil, nil,
				"some validation rules were not checked because the object was invalid; "+
					"correct the existing errors to complete validation",
			)
		}
	}
	return nil
}

func (d *Definition) finish(
	ctx context.Context, v *version, verdict Verdict, kept map[string]any, errs field.ErrorList,
) (Verdict, error) {
	if err := ctx.Err(); err != nil {
		return Verdict{}, errors.Join(err, context.Cause(ctx))
	}
	verdict.Refused = refusals(errs)
	verdict.Accepted = len(verdict.Refused) == 0
	if !verdict.Accepted {
		return verdict, nil
	}
	verdict.Object = kept
	stored := d.versions[d.storage]
	if stored != v && d.converts {
		verdict.ConvertedTo = d.storage
		return verdict, nil
	}
	if stored != nil && stored.schema != v.schema {
		copied, err := copyJSON(kept, "")
		if err != nil {
			return Verdict{}, err
		}
		lost, err := stored.coerce(copied.(map[string]any), d.keepsUnknown) //nolint:forcetypeassert // the copy of a map
		if err != nil {
			return Verdict{}, err
		}
		verdict.Unstored = sortedOnce(lost)
	}
	return verdict, nil
}

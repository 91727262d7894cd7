package admit

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	celconfig "k8s.io/apiserver/pkg/apis/cel"

	"github.com/vitistack/kubevirt-multicluster/crdcheck/internal/kept"
)

// Errors of Create and Update.
var (
	// ErrNotServed: the cluster does not serve the object's version.
	ErrNotServed = errors.New("version is not served")
	// ErrOtherKind: the object is not one of this definition.
	ErrOtherKind = errors.New("not an object of this definition")
)

// Definition is one CRD, compiled. It is safe for concurrent use.
type Definition struct {
	name, group, kind string
	namespaced        bool
	keepsUnknown      bool // spec.preserveUnknownFields
	converts          bool // by a webhook
	storage           string
	versions          map[string]*version
}

// version is one version of a definition.
type version struct {
	served     bool
	deprecated string // the warning; "" where it is not
	status     bool   // has the status subresource
	scale      *apiextensionsv1.CustomResourceSubresourceScale
	*schema
}

// schema is a compiled schema, which all definitions with the same schema share.
type schema struct {
	structural *structuralschema.Structural
	validator  validation.SchemaValidator
	rules      *cel.Validator // nil where there are none
}

// Cache compiles equal schemas once, as long as a Definition holds them. The zero value works. It
// is safe for concurrent use.
type Cache struct {
	schemas kept.Values[[sha256.Size]byte, schema]
}

// Compiled returns how many schemas were compiled so far.
func (c *Cache) Compiled() int { return c.schemas.Made() }

// Name returns the definition's name: plural.group.
func (d *Definition) Name() string { return d.name }

// Kind returns the kind of its objects.
func (d *Definition) Kind() string { return d.kind }

// Group returns the group of its objects.
func (d *Definition) Group() string { return d.group }

// Compile compiles a CRD. The error says which version the API server could not serve, and why.
func Compile(crd *apiextensionsv1.CustomResourceDefinition) (*Definition, error) {
	return new(Cache).Compile(crd)
}

// Compile is the function [Compile], except that it compiles no schema that the cache holds.
func (c *Cache) Compile(crd *apiextensionsv1.CustomResourceDefinition) (*Definition, error) {
	d := &Definition{
		name: crd.Name, group: crd.Spec.Group, kind: crd.Spec.Names.Kind,
		namespaced:   crd.Spec.Scope == apiextensionsv1.NamespaceScoped,
		keepsUnknown: crd.Spec.PreserveUnknownFields, versions: make(map[string]*version, len(crd.Spec.Versions)),
		converts: crd.Spec.Conversion != nil && crd.Spec.Conversion.Strategy == apiextensionsv1.WebhookConverter,
	}
	for i := range crd.Spec.Versions {
		declared := &crd.Spec.Versions[i]
		if declared.Schema == nil || declared.Schema.OpenAPIV3Schema == nil {
			return nil, fmt.Errorf("%s %s has no schema", crd.Name, declared.Name)
		}
		compiled, err := c.compile(declared.Schema)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", crd.Name, declared.Name, err)
		}
		v := &version{
			served: declared.Served,
			schema: compiled,
		}
		if declared.Subresources != nil {
			v.status, v.scale = declared.Subresources.Status != nil, declared.Subresources.Scale
		}
		if declared.Deprecated {
			v.deprecated = deprecationWarning(&crd.Spec, declared.Name)
			if declared.DeprecationWarning != nil {
				v.deprecated = *declared.DeprecationWarning
			}
		}
		d.versions[declared.Name] = v
		if declared.Storage {
			d.storage = declared.Name
		}
	}
	return d, nil
}

func (c *Cache) compile(declared *apiextensionsv1.CustomResourceValidation) (*schema, error) {
	encoded, err := declared.Marshal() // protobuf with sorted keys
	if err != nil {
		return nil, err
	}
	return c.schemas.Get(sha256.Sum256(encoded), func() (*schema, error) { return compile(declared) })
}

func compile(declared *apiextensionsv1.CustomResourceValidation) (*schema, error) {
	internal := &apiextensions.CustomResourceValidation{}
	convert := apiextensionsv1.Convert_v1_CustomResourceValidation_To_apiextensions_CustomResourceValidation
	if err := convert(declared.DeepCopy(), internal, nil); err != nil {
		return nil, err
	}
	structural, err := structuralschema.NewStructural(internal.OpenAPIV3Schema)
	if err != nil {
		return nil, fmt.Errorf("not structural: %w", err)
	}
	structural = structural.DeepCopy() // as the server does: defaults are shared otherwise
	if err := defaulting.PruneDefaults(structural); err != nil {
		return nil, err
	}
	validator, _, err := validation.NewSchemaValidator(internal.OpenAPIV3Schema)
	if err != nil {
		return nil, err
	}
	return &schema{
		structural: structural,
		validator:  validator,
		rules:      cel.NewValidator(structural, true, celconfig.PerCallLimit),
	}, nil
}

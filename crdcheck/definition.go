package crdcheck

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"maps"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	kubeversion "k8s.io/apimachinery/pkg/version"
)

// definition is what comparisons need of a CRD.
type definition struct {
	scope        string
	names        apiextensionsv1.CustomResourceDefinitionNames
	conversion   apiextensionsv1.ConversionStrategyType
	webhook      string // where and how it is called, in canonical JSON without the certificate
	keepsUnknown bool   // spec.preserveUnknownFields
	versions     map[string]*version
	stored       []string // status.storedVersions, sorted
}

// version is one version of a definition.
type version struct {
	served, storage, deprecated bool
	warning                     string // deprecationWarning
	status                      bool   // has the status subresource
	scale                       string // the scale subresource in canonical JSON, "" where there is none
	columns                     []apiextensionsv1.CustomResourceColumnDefinition
	selectable                  []string // JSON paths, sorted
	nodes                       tree     // nil where there is no schema
	hash                        string   // equal where the normalised schemas are
}

func compile(crd *apiextensionsv1.CustomResourceDefinition) (*definition, error) {
	d := &definition{
		scope: string(crd.Spec.Scope), names: *crd.Spec.Names.DeepCopy(), conversion: apiextensionsv1.NoneConverter,
		keepsUnknown: crd.Spec.PreserveUnknownFields,
		versions:     make(map[string]*version, len(crd.Spec.Versions)),
		stored:       slices.Sorted(slices.Values(crd.Status.StoredVersions)),
	}
	if c := crd.Spec.Conversion; c != nil && c.Strategy != "" {
		d.conversion, d.webhook = c.Strategy, webhookOf(c.Webhook)
	}
	if twice := repeated(crd.Spec.Versions); twice != "" {
		return nil, fmt.Errorf("%s has version %s twice", crd.Name, twice)
	}
	for i := range crd.Spec.Versions {
		declared := &crd.Spec.Versions[i]
		v := compileVersion(declared)
		if declared.Schema != nil && declared.Schema.OpenAPIV3Schema != nil {
			nodes, err := compileSchema(declared.Schema.OpenAPIV3Schema)
			if err != nil {
				return nil, fmt.Errorf("schema of %s %s: %w", crd.Name, declared.Name, err)
			}
			v.nodes, v.hash = nodes, hashNodes(nodes)
		}
		d.versions[declared.Name] = v
	}
	return d, nil
}

func compileVersion(declared *apiextensionsv1.CustomResourceDefinitionVersion) *version {
	v := &version{served: declared.Served, storage: declared.Storage, deprecated: declared.Deprecated}
	if declared.DeprecationWarning != nil {
		v.warning = *declared.DeprecationWarning
	}
	if s := declared.Subresources; s != nil {
		v.status = s.Status != nil
		if s.Scale != nil {
			v.scale, _ = canonical(s.Scale) // strings always encode
		}
	}
	for _, column := range declared.AdditionalPrinterColumns {
		column.Description = ""
		v.columns = append(v.columns, column)
	}
	for _, f := range declared.SelectableFields {
		v.selectable = append(v.selectable, f.JSONPath)
	}
	slices.Sort(v.selectable)
	return v
}

// webhookOf leaves out the certificate, which is another one in every cluster.
func webhookOf(webhook *apiextensionsv1.WebhookConversion) string {
	if webhook == nil {
		return ""
	}
	copied := webhook.DeepCopy()
	if copied.ClientConfig != nil {
		copied.ClientConfig.CABundle = nil
	}
	text, _ := canonical(copied) // strings and numbers always encode
	return text
}

func hashNodes(nodes tree) string {
	sum := sha256.New()
	for i := range nodes {
		n := &nodes[i]
		hashText(sum, n.path)
		for _, f := range n.facets {
			hashText(sum, f.key)
			hashText(sum, f.value)
		}
		hashText(sum, "\x00") // no path is this: the facets end here
	}
	return hex.EncodeToString(sum.Sum(nil))
}

// hashText writes a text so that no two sequences of texts look the same.
func hashText(sum hash.Hash, text string) {
	var length [binary.MaxVarintLen64]byte
	sum.Write(length[:binary.PutUvarint(length[:], uint64(len(text)))])
	_, _ = io.WriteString(sum, text) // a hash never fails
}

// ordered returns the versions' names, newest first as Kubernetes orders them.
func (d *definition) ordered() []string {
	return slices.SortedFunc(
		maps.Keys(d.versions), func(a, b string) int { return kubeversion.CompareKubeAwareVersionStrings(b, a) },
	)
}

// versionSet describes all that belongs to the word version: "v1 served storage, v1alpha3 served
// deprecated; stored: v1".
func (d *definition) versionSet() string {
	described := make([]string, 0, len(d.versions))
	for _, name := range d.ordered() {
		described = append(described, name+d.versions[name].marks())
	}
	stored := "none"
	if len(d.stored) > 0 {
		stored = strings.Join(d.stored, ", ")
	}
	return strings.Join(described, ", ") + "; stored: " + stored
}

func (v *version) marks() string {
	marks := " unserved"
	if v.served {
		marks = " served"
	}
	if v.storage {
		marks += " storage"
	}
	if v.deprecated {
		marks += " deprecated"
	}
	return marks
}

// repeated returns the name of a version that is there more than once, or "".
func repeated(versions []apiextensionsv1.CustomResourceDefinitionVersion) string {
	seen := map[string]bool{}
	for i := range versions {
		if name := versions[i].Name; seen[name] {
			return name
		}
		seen[versions[i].Name] = true
	}
	return ""
}

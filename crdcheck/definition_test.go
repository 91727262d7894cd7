package crdcheck_test

import (
	"bytes"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/utils/ptr"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

type definitionCase struct {
	fields     []string // of the API that the case is about
	old, found func(crd *apiextensionsv1.CustomResourceDefinition)
	want       []string
}

func same(*apiextensionsv1.CustomResourceDefinition) {}

// definitionCases edit everything of a definition but its schemas. v1beta1 keeps unknown fields and
// v1 drops them: where both come to be served side by side, that is told too.
func definitionCases() map[string]definitionCase {
	type crd = apiextensionsv1.CustomResourceDefinition
	webhook := func(version string) func(c *crd) {
		return func(c *crd) {
			c.Spec.Conversion = &apiextensionsv1.CustomResourceConversion{
				Strategy: apiextensionsv1.WebhookConverter,
				Webhook:  &apiextensionsv1.WebhookConversion{ConversionReviewVersions: []string{version}},
			}
		}
	}
	status := func(c *crd) {
		c.Spec.Versions[0].Subresources = &apiextensionsv1.CustomResourceSubresources{
			Status: &apiextensionsv1.CustomResourceSubresourceStatus{},
		}
	}
	scale := func(path string) func(c *crd) {
		return func(c *crd) {
			c.Spec.Versions[0].Subresources = &apiextensionsv1.CustomResourceSubresources{
				Scale: &apiextensionsv1.CustomResourceSubresourceScale{SpecReplicasPath: path},
			}
		}
	}
	column := func(name, path string) func(c *crd) {
		return func(c *crd) {
			c.Spec.Versions[0].AdditionalPrinterColumns = []apiextensionsv1.CustomResourceColumnDefinition{
				{Name: name, JSONPath: path, Type: "string", Description: name + path},
			}
		}
	}
	selectable := func(c *crd) {
		c.Spec.Versions[0].SelectableFields = []apiextensionsv1.SelectableField{{JSONPath: ".spec.size"}}
	}
	short := func(c *crd) { c.Spec.Names.ShortNames = []string{"wi"} }
	category := func(c *crd) { c.Spec.Names.Categories = []string{"all"} }
	drop := func(i int) func(c *crd) {
		return func(c *crd) { c.Spec.Versions = slices.Delete(c.Spec.Versions, i, i+1) }
	}
	storedV1 := func(c *crd) { c.Status.StoredVersions = []string{"v1"} }
	return map[string]definitionCase{
		"Scope": {
			[]string{"Scope"},
			same,
			func(c *crd) { c.Spec.Scope = apiextensionsv1.ClusterScoped },
			[]string{"scope-differs"},
		},
		"Kind": {[]string{"Kind"}, same, func(c *crd) {
			c.Spec.Names.Kind, c.Spec.Names.ListKind, c.Spec.Names.Singular = "Gadget", "WidgetList", "widget"
		}, []string{"kind-changed"}},
		"ListKind": {
			[]string{"ListKind"},
			same,
			func(c *crd) { c.Spec.Names.ListKind = "Widgets" },
			[]string{"list-kind-changed"},
		},
		"Singular": {
			[]string{"Singular"},
			same,
			func(c *crd) { c.Spec.Names.Singular = "wid" },
			[]string{"singular-changed"},
		},
		"Filled": {
			[]string{"ListKind", "Singular"},
			same,
			func(c *crd) { c.Spec.Names.ListKind, c.Spec.Names.Singular = "WidgetList", "widget" },
			nil,
		},
		"ShortAdded":   {[]string{"ShortNames"}, same, short, []string{"short-name-added"}},
		"ShortRemoved": {[]string{"ShortNames"}, short, same, []string{"short-name-removed"}},
		"Category":     {[]string{"Categories"}, same, category, []string{"category-added"}},
		"CategoryGone": {[]string{"Categories"}, category, same, []string{"category-removed"}},
		"Conversion":   {[]string{"Conversion", "Strategy"}, same, webhook("v1"), []string{"conversion-changed"}},
		"Webhook": {
			[]string{"Conversion", "Webhook"},
			webhook("v1"),
			webhook("v1beta1"),
			[]string{"conversion-webhook-changed"},
		},
		"KeepsUnknown": {
			[]string{"PreserveUnknownFields"},
			same,
			func(c *crd) { c.Spec.PreserveUnknownFields = true },
			[]string{"unknown-fields-switched"},
		},
		"VersionGone": {
			[]string{"Versions", "Name"},
			storedV1,
			func(c *crd) { storedV1(c); drop(1)(c) },
			[]string{"version-removed"},
		},
		"StoredGone":   {[]string{"Versions", "StoredVersions"}, same, drop(1), []string{"stored-version-removed"}},
		"UnservedGone": {[]string{"Versions"}, same, drop(2), nil},
		"VersionAdded": {[]string{"Versions"}, drop(2), same, []string{"version-added"}},
		"Unserved": {
			[]string{"Served"},
			same,
			func(c *crd) { c.Spec.Versions[1].Served = false },
			[]string{"version-unserved"},
		},
		"Served": {
			[]string{"Served"},
			func(c *crd) { c.Spec.Versions[1].Served = false },
			same,
			[]string{"version-served", "unknown-fields-pruned"},
		},
		"Deprecated": {
			[]string{"Deprecated"},
			same,
			func(c *crd) { c.Spec.Versions[0].Deprecated = true },
			[]string{"version-deprecated"},
		},
		"Undeprecated": {
			[]string{"Deprecated"},
			func(c *crd) { c.Spec.Versions[0].Deprecated = true },
			same,
			[]string{"version-undeprecated"},
		},
		"Warning": {
			[]string{"DeprecationWarning"},
			same,
			func(c *crd) { c.Spec.Versions[1].DeprecationWarning = ptr.To("gone soon") },
			[]string{"deprecation-warning-changed"},
		},
		"Storage": {
			[]string{"Storage"},
			same,
			func(c *crd) { c.Spec.Versions[0].Storage, c.Spec.Versions[1].Storage = false, true },
			[]string{"storage-version-changed"},
		},
		"StorageJump": {
			[]string{"Storage"},
			same,
			func(c *crd) { c.Spec.Versions[0].Storage, c.Spec.Versions[2].Storage = false, true },
			[]string{"storage-version-jumped"},
		},
		"Stored": {[]string{"StoredVersions"}, same, storedV1, []string{"stored-versions-changed"}},
		"SchemaGone": {
			[]string{"Schema"},
			same,
			func(c *crd) { c.Spec.Versions[0].Schema = nil },
			[]string{"schema-removed"},
		},
		"SchemaAdded": {
			[]string{"Schema"},
			func(c *crd) { c.Spec.Versions[0].Schema = nil },
			same,
			[]string{"schema-added", "unknown-fields-pruned"},
		},
		"Status":     {[]string{"Subresources", "Status"}, same, status, []string{"status-subresource-added"}},
		"StatusGone": {[]string{"Subresources", "Status"}, status, same, []string{"subresource-removed"}},
		"Scale":      {[]string{"Subresources", "Scale"}, same, scale(".spec.size"), []string{"subresource-added"}},
		"ScaleGone":  {[]string{"Subresources", "Scale"}, scale(".spec.size"), same, []string{"subresource-removed"}},
		"ScaleOther": {
			[]string{"Subresources", "Scale"},
			scale(".spec.size"),
			scale(".spec.replicas"),
			[]string{"scale-changed"},
		},
		"ColumnAdded": {
			[]string{"AdditionalPrinterColumns"},
			same,
			column("Size", ".spec.size"),
			[]string{"print-column-added"},
		},
		"ColumnGone": {
			[]string{"AdditionalPrinterColumns"},
			column("Size", ".spec.size"),
			same,
			[]string{"print-column-removed"},
		},
		"ColumnOther": {
			[]string{"AdditionalPrinterColumns"},
			column("Size", ".spec.size"),
			column("Size", ".spec.weight"),
			[]string{"print-column-changed"},
		},
		"Selector":     {[]string{"SelectableFields"}, same, selectable, []string{"selectable-field-added"}},
		"SelectorGone": {[]string{"SelectableFields"}, selectable, same, []string{"selectable-field-removed"}},
		"OrderVersions": {
			[]string{"Versions"},
			same,
			func(c *crd) { slices.Reverse(c.Spec.Versions); slices.Reverse(c.Status.StoredVersions) },
			nil,
		},
	}
}

func TestDefinitions(t *testing.T) {
	var shown bytes.Buffer
	cases := definitionCases()
	for _, label := range slices.Sorted(maps.Keys(cases)) {
		tc := cases[label]
		t.Run(label, func(t *testing.T) {
			old, found := widget(t), widget(t)
			tc.old(&old)
			tc.found(&found)
			report := crdcheck.Compare(crdcheck.Observed("old", old), crdcheck.Observed("new", found), crdcheck.Options{})
			var got []string
			for _, f := range report.Findings {
				got = append(got, string(f.Rule))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s%+v", diff, report.Findings)
			}
			show(t, &shown, label, report)
		})
	}
	gone := crdcheck.Compare(crdcheck.Observed("old"), crdcheck.Observed("new", widget(t)), crdcheck.Options{})
	show(t, &shown, "New", gone)
	golden(t, "testdata/definitions.want.txt", shown.Bytes())
}

// TestDefinitionCoverage holds the cases to the API: a field that Kubernetes adds beside schemas
// has a case or a reason.
func TestDefinitionCoverage(t *testing.T) {
	waived := map[string]string{
		"Group":           "a part of the name by which definitions are found",
		"Names":           "its own fields have cases",
		"Plural":          "a part of the name by which definitions are found",
		"Conditions":      "what the API server thinks of the definition, not what it does with objects",
		"AcceptedNames":   "the names that the server took; spec has those that were asked for",
		"OpenAPIV3Schema": "testdata/coverage.txt", "ObservedGeneration": "the server's own book-keeping",
	}
	covered := map[string]bool{}
	for _, tc := range definitionCases() {
		for _, name := range tc.fields {
			covered[name] = true
		}
	}
	for _, of := range []reflect.Type{
		reflect.TypeFor[apiextensionsv1.CustomResourceDefinitionSpec](),
		reflect.TypeFor[apiextensionsv1.CustomResourceDefinitionStatus](),
		reflect.TypeFor[apiextensionsv1.CustomResourceDefinitionVersion](),
		reflect.TypeFor[apiextensionsv1.CustomResourceDefinitionNames](),
		reflect.TypeFor[apiextensionsv1.CustomResourceValidation](),
		reflect.TypeFor[apiextensionsv1.CustomResourceSubresources](),
		reflect.TypeFor[apiextensionsv1.CustomResourceConversion](),
	} {
		for i := range of.NumField() {
			if name := of.Field(i).Name; !covered[name] && waived[name] == "" {
				t.Errorf("nothing looks at %s of %s", name, strings.TrimPrefix(of.Name(), "CustomResource"))
			}
		}
	}
}

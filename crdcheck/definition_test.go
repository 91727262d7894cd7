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
		"scope differs": {
			fields: []string{"Scope"},
			old:    same,
			found:  func(c *crd) { c.Spec.Scope = apiextensionsv1.ClusterScoped },
			want:   []string{"scope-differs"},
		},
		"kind differs": {fields: []string{"Kind"}, old: same, found: func(c *crd) {
			c.Spec.Names.Kind, c.Spec.Names.ListKind, c.Spec.Names.Singular = "Gadget", "WidgetList", "widget"
		}, want: []string{"kind-changed"}},
		"list kind differs": {
			fields: []string{"ListKind"},
			old:    same,
			found:  func(c *crd) { c.Spec.Names.ListKind = "Widgets" },
			want:   []string{"list-kind-changed"},
		},
		"singular differs": {
			fields: []string{"Singular"},
			old:    same,
			found:  func(c *crd) { c.Spec.Names.Singular = "wid" },
			want:   []string{"singular-changed"},
		},
		"names that the server fills in": {
			fields: []string{"ListKind", "Singular"},
			old:    same,
			found:  func(c *crd) { c.Spec.Names.ListKind, c.Spec.Names.Singular = "WidgetList", "widget" },
			want:   nil,
		},
		"short name added": {
			fields: []string{"ShortNames"},
			old:    same,
			found:  short,
			want:   []string{"short-name-added"},
		},
		"short name removed": {
			fields: []string{"ShortNames"},
			old:    short,
			found:  same,
			want:   []string{"short-name-removed"},
		},
		"category added": {
			fields: []string{"Categories"},
			old:    same,
			found:  category,
			want:   []string{"category-added"},
		},
		"category removed": {
			fields: []string{"Categories"},
			old:    category,
			found:  same,
			want:   []string{"category-removed"},
		},
		"conversion goes away": {
			fields: []string{"Conversion"},
			old:    webhook("v1"),
			found:  same,
			want: []string{"conversion-changed", // of v1beta1, which is stored too and keeps what v1 does not know
				"unknown-fields-pruned", "field-listed", "field-listed"},
		},
		"conversion becomes a webhook": {
			fields: []string{"Conversion", "Strategy"},
			old:    same,
			found:  webhook("v1"),
			want:   []string{"conversion-changed"},
		},
		"webhook speaks another version": {
			fields: []string{"Conversion", "Webhook"},
			old:    webhook("v1"),
			found:  webhook("v1beta1"),
			want:   []string{"conversion-webhook-changed"},
		},
		"unknown fields are kept": {
			fields: []string{"PreserveUnknownFields"},
			old:    same,
			found:  func(c *crd) { c.Spec.PreserveUnknownFields = true },
			want:   []string{"unknown-fields-switched"},
		},
		"served version removed": {
			fields: []string{"Versions", "Name"},
			old:    storedV1,
			found:  func(c *crd) { storedV1(c); drop(1)(c) },
			want:   []string{"version-removed"},
		},
		"stored version removed": {
			fields: []string{"Versions", "StoredVersions"},
			old:    same,
			found:  drop(1),
			want:   []string{"stored-version-removed"},
		},
		"unserved version removed": {fields: []string{"Versions"}, old: same, found: drop(2), want: nil},
		"unserved version removed, of files": {
			fields: []string{"Versions"},
			old:    func(c *crd) { c.Status.StoredVersions = nil },
			found:  func(c *crd) { drop(2)(c); c.Status.StoredVersions = nil },
			want:   []string{"version-may-be-stored"},
		},
		"version added": {
			fields: []string{"Versions"},
			old:    drop(2),
			found:  same,
			want:   []string{"version-added"},
		},
		"version is no longer served": {
			fields: []string{"Served"},
			old:    same,
			found:  func(c *crd) { c.Spec.Versions[1].Served = false },
			want:   []string{"version-unserved"},
		},
		"version comes to be served": {
			fields: []string{"Served"},
			old:    func(c *crd) { c.Spec.Versions[1].Served = false },
			found:  same,
			want:   []string{"version-served", "unknown-fields-pruned"},
		},
		"version becomes deprecated": {
			fields: []string{"Deprecated"},
			old:    same,
			found:  func(c *crd) { c.Spec.Versions[0].Deprecated = true },
			want:   []string{"version-deprecated"},
		},
		"version is no longer deprecated": {
			fields: []string{"Deprecated"},
			old:    func(c *crd) { c.Spec.Versions[0].Deprecated = true },
			found:  same,
			want:   []string{"version-undeprecated"},
		},
		"deprecation warning differs": {
			fields: []string{"DeprecationWarning"},
			old:    same,
			found:  func(c *crd) { c.Spec.Versions[1].DeprecationWarning = ptr.To("gone soon") },
			want:   []string{"deprecation-warning-changed"},
		},
		"storage version differs": {
			fields: []string{"Storage"},
			old:    same,
			found:  func(c *crd) { c.Spec.Versions[0].Storage, c.Spec.Versions[1].Storage = false, true },
			want:   []string{"storage-version-changed"},
		},
		"storage version jumps": {
			fields: []string{"Storage"},
			old:    same,
			found:  func(c *crd) { c.Spec.Versions[0].Storage, c.Spec.Versions[2].Storage = false, true },
			want:   []string{"storage-version-jumped", "field-removed", "field-removed"},
		},
		"stored versions differ": {
			fields: []string{"StoredVersions"},
			old:    same,
			found:  storedV1,
			want:   []string{"stored-versions-changed"},
		},
		"schema removed": {
			fields: []string{"Schema"},
			old:    same,
			found:  func(c *crd) { c.Spec.Versions[0].Schema = nil },
			want:   []string{"schema-removed"},
		},
		"schema added": {
			fields: []string{"Schema"},
			old:    func(c *crd) { c.Spec.Versions[0].Schema = nil },
			found:  same,
			want:   []string{"schema-added", "unknown-fields-pruned"},
		},
		"status subresource added": {
			fields: []string{"Subresources", "Status"},
			old:    same,
			found:  status,
			want:   []string{"status-subresource-added"},
		},
		"status subresource removed": {
			fields: []string{"Subresources", "Status"},
			old:    status,
			found:  same,
			want:   []string{"subresource-removed"},
		},
		"scale subresource added": {
			fields: []string{"Subresources", "Scale"},
			old:    same,
			found:  scale(".spec.size"),
			want:   []string{"subresource-added"},
		},
		"scale subresource removed": {
			fields: []string{"Subresources", "Scale"},
			old:    scale(".spec.size"),
			found:  same,
			want:   []string{"subresource-removed"},
		},
		"scale reads another path": {
			fields: []string{"Subresources", "Scale"},
			old:    scale(".spec.size"),
			found:  scale(".spec.replicas"),
			want:   []string{"scale-changed"},
		},
		"print column added": {
			fields: []string{"AdditionalPrinterColumns"},
			old:    same,
			found:  column("Size", ".spec.size"),
			want:   []string{"print-column-added"},
		},
		"print column removed": {
			fields: []string{"AdditionalPrinterColumns"},
			old:    column("Size", ".spec.size"),
			found:  same,
			want:   []string{"print-column-removed"},
		},
		"print column differs": {
			fields: []string{"AdditionalPrinterColumns"},
			old:    column("Size", ".spec.size"),
			found:  column("Size", ".spec.weight"),
			want:   []string{"print-column-changed"},
		},
		"selectable field added": {
			fields: []string{"SelectableFields"},
			old:    same,
			found:  selectable,
			want:   []string{"selectable-field-added"},
		},
		"selectable field removed": {
			fields: []string{"SelectableFields"},
			old:    selectable,
			found:  same,
			want:   []string{"selectable-field-removed"},
		},
		"versions in another order": {
			fields: []string{"Versions"},
			old:    same,
			found:  func(c *crd) { slices.Reverse(c.Spec.Versions); slices.Reverse(c.Status.StoredVersions) },
			want:   nil,
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

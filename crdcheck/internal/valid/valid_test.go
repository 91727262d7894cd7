package valid_test

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/internal/valid"
)

type schema = apiextensionsv1.JSONSchemaProps

func widgets(t *testing.T) apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	file, err := os.Open("../../admit/testdata/widgets.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	crds, err := crdcheck.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return crds[0]
}

// edit changes a field of the spec of widgets.
func edit(name string, change func(s *schema)) func(*spec) {
	return func(s *spec) {
		properties := s.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties
		property := properties[name]
		change(&property)
		properties[name] = property
	}
}

type spec = apiextensionsv1.CustomResourceDefinitionSpec

// spoilt is a change of the definition of widgets.
type spoilt struct {
	reason string
	spoil  func(*spec)
	want   string // "" where the definition stays fine
}

func cases() map[string]spoilt {
	return map[string]spoilt{
		"as it is": {reason: "what the server fills in itself is not missed", spoil: func(*spec) {}},
		"nothing stored": {
			reason: "a definition whose versions are all storage: false cannot store an object",
			spoil:  func(s *spec) { s.Versions[0].Storage = false },
			want:   "must have exactly one version marked as storage version",
		},
		"no type": {
			reason: "a field without a type is not structural",
			spoil:  edit("grade", func(s *schema) { s.Type = "" }),
			want:   "properties[spec].properties[grade].type: Required value",
		},
		"broken pattern": {
			reason: "a pattern that is no regular expression judges nothing",
			spoil:  edit("code", func(s *schema) { s.Pattern = "[a-" }),
			want:   "must be a valid regular expression",
		},
		"broken rule": {
			reason: "a rule that does not compile refuses nothing, because the server does not take it",
			spoil: edit("code", func(s *schema) {
				s.XValidations = apiextensionsv1.ValidationRules{{Rule: "self.size >"}}
			}),
			want: "compilation failed",
		},
		"default of another type": {
			reason: "a default that its own schema refuses would break every object",
			spoil:  edit("grade", func(s *schema) { s.Default = &apiextensionsv1.JSON{Raw: []byte("7")} }),
			want:   "properties[grade].default: Invalid value",
		},
		"no schema": {
			reason: "v1 wants a schema for each version",
			spoil:  func(s *spec) { s.Versions[0].Schema = nil },
			want:   "spec.versions[0].schema.openAPIV3Schema: Required value",
		},
	}
}

func TestDefinition(t *testing.T) {
	for label, tc := range cases() {
		t.Run(label, func(t *testing.T) {
			crd := widgets(t)
			tc.spoil(&crd.Spec)
			err := valid.Definition(t.Context(), &crd)
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("%s: want %q, got %v", tc.reason, tc.want, err)
			}
		})
	}
}

// TestLeavesItAlone: what the server fills in is not filled into the caller's definition, which is
// compared afterwards.
func TestLeavesItAlone(t *testing.T) {
	crd := widgets(t)
	crd.Spec.Names.Singular, crd.Spec.Names.ListKind = "", ""
	crd.Spec.Conversion = &apiextensionsv1.CustomResourceConversion{
		Strategy: apiextensionsv1.WebhookConverter,
		Webhook: &apiextensionsv1.WebhookConversion{
			ConversionReviewVersions: []string{"v1"},
			ClientConfig: &apiextensionsv1.WebhookClientConfig{
				Service: &apiextensionsv1.ServiceReference{Namespace: "harbour", Name: "converter"},
			},
		},
	}
	before := crd.DeepCopy()
	if err := valid.Definition(t.Context(), &crd); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, &crd); diff != "" {
		t.Errorf("-before +after:\n%s", diff)
	}
}

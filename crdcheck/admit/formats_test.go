package admit_test

import (
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/util/version"
	validationspec "k8s.io/kube-openapi/pkg/validation/spec"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

// TestFormatsAreThoseOfTheServer holds what Compare knows of formats to the API server's own list:
// one that the server ignores makes no difference, any other one does.
func TestFormatsAreThoseOfTheServer(t *testing.T) {
	same := map[string]bool{"string password": true, "integer int64": true, "number double": true} // they refuse nothing
	of := func(kind, format string) crdcheck.Snapshot {
		crd := apiextensionsv1.CustomResourceDefinition{}
		crd.Name, crd.Spec.Group, crd.Spec.Names.Plural = "boats.harbour.example", "harbour.example", "boats"
		schema := &apiextensionsv1.JSONSchemaProps{Type: "object", Properties: map[string]apiextensionsv1.JSONSchemaProps{
			"spec": {Type: kind, Format: format}}}
		crd.Spec.Versions = []apiextensionsv1.CustomResourceDefinitionVersion{{Name: "v1", Served: true, Storage: true,
			Schema: &apiextensionsv1.CustomResourceValidation{OpenAPIV3Schema: schema}}}
		return crdcheck.Observed("harbour", crd)
	}
	for _, kind := range []string{"string", "integer", "number", "boolean", "object", "array"} {
		for _, format := range []string{
			"bsonobjectid", "uri", "email", "hostname", "ipv4", "ipv6", "cidr", "mac", "uuid", "uuid3", "uuid4", "uuid5",
			"isbn", "isbn10", "isbn13", "creditcard", "ssn", "hexcolor", "rgbcolor", "byte", "password", "date", "duration",
			"datetime", "date-time", "uu-id", "k8s-short-name", "k8s-long-name", "hostport", "int32", "int64", "float",
			"double", "quantity", "URI", "binary", "time", "regex",
		} {
			looked := &validationspec.Schema{SchemaProps: validationspec.SchemaProps{
				Type: validationspec.StringOrArray{kind}, Format: format}}
			ignored := len(validation.GetUnrecognizedFormats(looked, version.MajorMinor(1, 37))) > 0 || same[kind+" "+format]
			told := len(crdcheck.Compare(of(kind, ""), of(kind, format), crdcheck.Options{}).Findings) > 0
			if told == ignored {
				t.Errorf("format %s of type %s: ignored by the server: %t, told: %t", format, kind, ignored, told)
			}
		}
	}
}

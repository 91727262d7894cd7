package crdcheck_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/render"
)

func ExampleLoadStream() {
	read, err := crdcheck.LoadStream(strings.NewReader("kind: ConfigMap\n---" + widgets))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, crd := range read.CRDs {
		fmt.Println(crd.Name, "in line", read.Lines[crd.Name])
	}
	fmt.Println("passed over:", read.Others)
	// Output:
	// widgets.example.com in line 3
	// passed over: map[ConfigMap:1]
}

func ExampleRequire() {
	crds, err := crdcheck.Load(strings.NewReader(widgets))
	if err != nil {
		fmt.Println(err)
		return
	}
	report := crdcheck.Require(crdcheck.Observed("supervisor", crds...), []crdcheck.Requirement{{
		CRD:     "widgets.example.com",
		Version: "v1",
		Fields: []crdcheck.Field{
			crdcheck.Reads("spec.weight", "spec.size"), // weight, or its former name
			crdcheck.Writes("status.conditions"),
		},
	}})
	_ = render.Text(os.Stdout, report)
	// Output:
	// ⚠️ widgets.example.com v1 in supervisor: field status.conditions is missing (error, field-missing 7cdf79c91d4d)
}

func ExampleFleet() {
	crds, err := crdcheck.Load(strings.NewReader(widgets))
	if err != nil {
		fmt.Println(err)
		return
	}
	report := crdcheck.Fleet([]crdcheck.Snapshot{
		crdcheck.Observed("west", crds...),
		crdcheck.Observed("east", crds...),
		crdcheck.Unobserved("north", "no answer in time"),
	}, []string{"widgets.example.com"})
	_ = render.Text(os.Stdout, report)
	fmt.Println("all agree:", report.OK())
	// Output:
	// ✅ widgets.example.com in east: is the baseline
	// ⚠️ widgets.example.com in north: could not be read: no answer in time (unknown, cluster-unknown 93702bd85fcb)
	// ✅ widgets.example.com in west: is as in east
	// all agree: false
}

func ExampleCompare() {
	released, err := crdcheck.Load(strings.NewReader(widgets))
	if err != nil {
		fmt.Println(err)
		return
	}
	proposed, err := crdcheck.Load(strings.NewReader(strings.Replace(widgets, "[red, green]", "[red, blue]", 1)))
	if err != nil {
		fmt.Println(err)
		return
	}
	report := crdcheck.Compare(
		crdcheck.Observed("v1.0", released...), crdcheck.Observed("v1.1", proposed...),
		crdcheck.Options{
			Directions: []crdcheck.Direction{crdcheck.Write, crdcheck.Read},
		},
	)
	_ = render.Text(os.Stdout, report)
	// Output:
	// ✅ widgets.example.com in v1.1: v1: spec.colour: enum value added: writers may use "blue" (info, enum-value-added 8c2330bed78d)
	// ⚠️ widgets.example.com in v1.1: v1: spec.colour: enum value removed: "green" is refused (error, enum-value-removed 94ad5902f0fd)
}

func ExampleNormalize() {
	one := &apiextensionsv1.JSONSchemaProps{
		Type:        "string",
		Description: "How it is.",
		Enum:        []apiextensionsv1.JSON{{Raw: []byte(`"b"`)}, {Raw: []byte(`"a"`)}},
	}
	other := &apiextensionsv1.JSONSchemaProps{
		Type:  "string",
		AllOf: []apiextensionsv1.JSONSchemaProps{{Enum: []apiextensionsv1.JSON{{Raw: []byte(`"a"`)}, {Raw: []byte(`"b"`)}}}},
	}
	for _, schema := range []*apiextensionsv1.JSONSchemaProps{one, other} {
		normal, err := crdcheck.Normalize(schema)
		if err != nil {
			fmt.Println(err)
			return
		}
		text, _ := json.Marshal(normal)
		fmt.Println(string(text))
	}
	// Output:
	// {"type":"string","enum":["a","b"]}
	// {"type":"string","enum":["a","b"]}
}

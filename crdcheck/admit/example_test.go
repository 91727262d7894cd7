package admit_test

import (
	"context"
	"fmt"
	"os"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/admit"
)

func ExampleDefinition_Create() {
	file, err := os.Open("testdata/widgets.yaml")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer file.Close()
	crds, err := crdcheck.Load(file)
	if err != nil {
		fmt.Println(err)
		return
	}
	definition, err := admit.Compile(&crds[0])
	if err != nil {
		fmt.Println(err)
		return
	}
	verdict, err := definition.Create(context.Background(), map[string]any{
		"apiVersion": "example.com/v1", "kind": "Widget", "metadata": map[string]any{"name": "w"},
		"spec": map[string]any{"size": 5, "colour": "black", "weight": 3},
	})
	fmt.Println(verdict.Accepted, verdict.Pruned, verdict.Defaulted, err)
	for _, refusal := range verdict.Refused {
		fmt.Println(refusal.Path, refusal.Message)
	}
	// Output:
	// false [spec.weight] [{spec.grade "plain"} {spec.maybe "filled"}] <nil>
	// spec.colour Forbidden: black is for big ones
}

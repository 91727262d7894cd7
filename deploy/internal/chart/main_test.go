package chart_test

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	yamlutil "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	helmchart "helm.sh/helm/v4/pkg/chart/v2"
	release "helm.sh/helm/v4/pkg/release/v1"

	"github.com/vitistack/kubevirt-multicluster/deploy/internal/chart"
)

var update = flag.Bool("update", false, "write the golden files anew")

// root is the repository's.
var root = filepath.Join("..", "..", "..")

// name is that of the release, and of its namespace, with which the chart renders what kustomize
// does.
const name = "kubevirt-operator"

func load(t *testing.T) *helmchart.Chart {
	t.Helper()
	loaded, err := chart.Load(filepath.Join(root, "deploy", "chart"))
	if err != nil {
		t.Fatal(err)
	}
	return loaded
}

// values are those of a file in testdata/values; "default" are none.
func values(t *testing.T, set string) map[string]any {
	t.Helper()
	if set == "default" {
		return map[string]any{}
	}
	content, err := os.ReadFile(filepath.Join("testdata", "values", set+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	return parsed(t, string(content))
}

func parsed(t *testing.T, text string) map[string]any {
	t.Helper()
	var all map[string]any
	if err := yaml.Unmarshal([]byte(text), &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// rendered is the release of a set of values.
func rendered(t *testing.T, set string) *release.Release {
	t.Helper()
	made, err := chart.Render(t.Context(), load(t), chart.Release{Name: name, Namespace: name, Values: values(t, set)})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// objects are those of a stream of YAML.
func objects(t *testing.T, stream []byte) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	decoder := yamlutil.NewYAMLOrJSONDecoder(bytes.NewReader(stream), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(object.Object) > 0 {
			all = append(all, object)
		}
	}
}

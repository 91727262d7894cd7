package samples_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/vitistack/kubevirt-multicluster/api/samples"
	"github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// TestRoundTrip decodes every sample into its Go type, strictly, and encodes it again: nothing may
// be unknown, and nothing may be lost but empty values.
func TestRoundTrip(t *testing.T) {
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	for name, content := range samples.YAML() {
		t.Run(name, func(t *testing.T) {
			object, _, err := decoder.Decode(content, nil, nil)
			if err != nil {
				t.Fatal(err)
			}
			encoded, err := json.Marshal(object.DeepCopyObject())
			if err != nil {
				t.Fatal(err)
			}
			var got, want map[string]any
			if err := json.Unmarshal(encoded, &got); err != nil {
				t.Fatal(err)
			}
			asJSON, err := yaml.ToJSON(content)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(asJSON, &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(withoutEmpty(want), withoutEmpty(got)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestNames keeps file names and contents together, and the objects apart, so that all of them fit
// in one server.
func TestNames(t *testing.T) {
	files := map[string]string{}
	for name, content := range samples.YAML() {
		var object unstructured.Unstructured
		if err := yaml.Unmarshal(content, &object.Object); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if !strings.HasPrefix(name, strings.ToLower(object.GetKind())+"-") {
			t.Errorf("%s: holds a %s", name, object.GetKind())
		}
		id := fmt.Sprintf("%s %s/%s", object.GetKind(), object.GetNamespace(), object.GetName())
		if other, found := files[id]; found {
			t.Errorf("%s and %s: both are %s", name, other, id)
		}
		files[id] = name
	}
	if len(files) == 0 {
		t.Error("no samples")
	}
}

// withoutEmpty returns a value without the fields that hold nothing: Go types do not keep those.
func withoutEmpty(value any) any {
	switch v := value.(type) {
	case map[string]any:
		kept := map[string]any{}
		for name, field := range v {
			if field = withoutEmpty(field); field != nil {
				kept[name] = field
			}
		}
		if len(kept) == 0 {
			return nil
		}
		return kept
	case []any:
		for i := range v {
			v[i] = withoutEmpty(v[i])
		}
		return v
	case string:
		if v == "" {
			return nil
		}
	case bool:
		if !v {
			return nil
		}
	}
	return value
}

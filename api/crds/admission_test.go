package crds_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/vitistack/kubevirt-multicluster/api/samples"
)

// admit returns what an API server would refuse in a value, or drop from it, as the path and the
// keyword. Rules in CEL and formats are left to the tests that have a server.
func (s *schema) admit(path string, value any) []string {
	switch v := value.(type) {
	case map[string]any:
		return s.admitObject(path, v)
	case []any:
		if s.Type != "array" {
			return []string{path + " type"}
		}
		var refused []string
		for i, item := range v {
			refused = append(refused, s.Items.admit(fmt.Sprintf("%s[%d]", path, i), item)...)
		}
		return refused
	case string:
		return s.admitString(path, v)
	case int64:
		return s.admitInteger(path, v)
	case bool:
		if s.Type == "boolean" {
			return nil
		}
	}
	return []string{path + " type"}
}

func (s *schema) admitObject(path string, object map[string]any) []string {
	if s.Type != "object" {
		return []string{path + " type"}
	}
	var refused []string
	for _, name := range s.Required {
		if _, found := object[name]; !found {
			refused = append(refused, path+"."+name+" required")
		}
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if path == "" && name == "metadata" {
			continue
		}
		property, known := s.Properties[name]
		switch {
		case known:
			refused = append(refused, property.admit(path+"."+name, object[name])...)
		case s.Values != nil:
			refused = append(refused, s.Values.admit(path+"."+name, object[name])...)
		default:
			refused = append(refused, path+"."+name+" unknown")
		}
	}
	return refused
}

func (s *schema) admitString(path, value string) []string {
	length := int64(len([]rune(value)))
	switch {
	case s.Type != "string" && !s.IntOrString:
		return []string{path + " type"}
	case len(s.Enum) > 0 && !slices.Contains(s.Enum, value):
		return []string{path + " enum"}
	case s.MinLength != nil && length < *s.MinLength:
		return []string{path + " minLength"}
	case s.MaxLength != nil && length > *s.MaxLength:
		return []string{path + " maxLength"}
	case s.Pattern != "" && !regexp.MustCompile(s.Pattern).MatchString(value):
		return []string{path + " pattern"}
	}
	return nil
}

func (s *schema) admitInteger(path string, value int64) []string {
	switch {
	case s.Type != "integer" && !s.IntOrString:
		return []string{path + " type"}
	case s.Minimum != nil && value < *s.Minimum:
		return []string{path + " minimum"}
	case s.Maximum != nil && value > *s.Maximum:
		return []string{path + " maximum"}
	}
	return nil
}

// schemas returns the schema of every kind.
func schemas(t *testing.T) map[string]schema {
	t.Helper()
	kinds := map[string]schema{}
	for _, d := range load(t) {
		kinds[d.Spec.Names.Kind] = d.Spec.Versions[0].Schema.OpenAPIV3Schema
	}
	return kinds
}

func sample(t *testing.T, name string) *unstructured.Unstructured {
	t.Helper()
	content, found := samples.YAML()[name]
	if !found {
		t.Fatalf("no sample %q", name)
	}
	object := &unstructured.Unstructured{}
	if err := yaml.Unmarshal(content, &object.Object); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return object
}

func TestSamplesAreAdmitted(t *testing.T) {
	kinds := schemas(t)
	seen := map[string]bool{}
	for name := range samples.YAML() {
		object := sample(t, name)
		s, known := kinds[object.GetKind()]
		if !known {
			t.Errorf("%s: kind %q has no definition", name, object.GetKind())
			continue
		}
		seen[object.GetKind()] = true
		if refused := s.admit("", object.Object); len(refused) > 0 {
			t.Errorf("%s: refused or dropped: %v", name, refused)
		}
	}
	for kind := range kinds {
		if !seen[kind] {
			t.Errorf("kind %s has no sample", kind)
		}
	}
}

func TestAdmission(t *testing.T) {
	cases := map[string]struct {
		reason string
		sample string
		value  any
		path   []string
		want   []string
	}{
		"no provider": {
			reason: "other controllers leave the provider empty, and that means ours",
			sample: "machine-full", path: []string{"spec", "provider"}, value: "",
		},
		"free words as a condition's reason": {
			reason: "an earlier operator wrote sentences; such a status must still be writable",
			sample: "machine-seed", path: []string{"status", "conditions"},
			value: []any{map[string]any{"type": "Unknown", "reason": "Failed to get client"}, map[string]any{}},
		},
		"a phase of another writer": {
			reason: "the public operator writes Succeeded",
			sample: "machine-seed", path: []string{"status", "phase"}, value: "Succeeded",
		},
		"an empty reference": {
			reason: "no wish is no mistake",
			sample: "machine-seed", path: []string{"spec", "kubevirtConfigRef"}, value: map[string]any{},
		},
		"too many cores": {
			reason: "the public bound",
			sample: "machine-full", path: []string{"spec", "cpu", "cores"}, value: int64(257),
			want: []string{".spec.cpu.cores maximum"},
		},
		"no core": {
			reason: "the public bound; the class decides when the field is absent",
			sample: "machine-full", path: []string{"spec", "cpu", "cores"}, value: int64(0),
			want: []string{".spec.cpu.cores minimum"},
		},
		"memory as a quantity": {
			reason: "memory is in bytes",
			sample: "machine-full", path: []string{"spec", "memory"}, value: "4Gi",
			want: []string{".spec.memory type"},
		},
		"memory of a class as a number": {
			reason: "a quantity may be a number",
			sample: "machineclass-full", path: []string{"spec", "memory", "quantity"}, value: int64(4294967296),
		},
		"memory of a class as nonsense": {
			reason: "a quantity that Go cannot decode would break every reader of the list",
			sample: "machineclass-full", path: []string{"spec", "memory", "quantity"}, value: "much",
			want: []string{".spec.memory.quantity pattern"},
		},
		"an architecture in other words": {
			reason: "the public enumeration",
			sample: "machine-full", path: []string{"spec", "os", "architecture"}, value: "riscv64",
			want: []string{".spec.os.architecture enum"},
		},
		"a misspelt run strategy": {
			reason: "it would be taken for none",
			sample: "machine-full", path: []string{"spec", "runStrategy"}, value: "always",
			want: []string{".spec.runStrategy enum"},
		},
		"a long network name": {
			reason: "the public bound of 32",
			sample: "networkconfiguration-full", path: []string{"spec", "name"}, value: "a23456789012345678901234567890123",
			want: []string{".spec.name maxLength"},
		},
		"a dotted network name": {
			reason: "the public pattern",
			sample: "networkconfiguration-full", path: []string{"spec", "name"}, value: "a.b",
			want: []string{".spec.name pattern"},
		},
	}
	kinds := schemas(t)
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			object := sample(t, tc.sample)
			if err := unstructured.SetNestedField(object.Object, tc.value, tc.path...); err != nil {
				t.Fatal(err)
			}
			s := kinds[object.GetKind()]
			if diff := cmp.Diff(tc.want, s.admit("", object.Object)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

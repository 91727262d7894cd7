package admit_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/admit"
)

func widget(spec map[string]any) map[string]any {
	return map[string]any{
		"apiVersion": "example.com/v1",
		"kind":       "Widget",
		"metadata":   map[string]any{"name": "w", "namespace": "default"},
		"spec":       spec,
	}
}

func TestCreate(t *testing.T) {
	crd := widgets(t)
	definition, err := admit.Compile(&crd)
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		reason    string
		spec      map[string]any
		pruned    []string
		defaulted []admit.Filled
		refused   []string // type and path
		unchecked []string
	}{
		"fields left out": {
			reason: "a field that is left out is filled in, and told", spec: map[string]any{"size": 1, "colour": "red"},
			defaulted: []admit.Filled{{"spec.grade", `"plain"`}, {"spec.maybe", `"filled"`}},
		},
		"null values": {
			reason:    "null stays where it is allowed; elsewhere it goes, and the default comes",
			spec:      map[string]any{"size": 1, "colour": "red", "maybe": nil, "grade": nil},
			defaulted: []admit.Filled{{"spec.grade", `"plain"`}},
		},
		"unknown fields": {
			reason: "an unknown field is dropped by the server without a word, and told here",
			spec: map[string]any{
				"size": 1, "colour": "red", "grade": "a", "maybe": "b", "weight": 1,
				"parts": []any{map[string]any{"name": "a", "count": 1, "when": map[string]any{}, "x": 1}},
			},
			pruned: []string{"spec.parts[0].x", "spec.weight"},
		},
		"fields kept unseen": {
			reason: "a field that is kept unseen is told, because its content was not judged",
			spec: map[string]any{
				"size": 1, "colour": "red", "grade": "a", "maybe": "b",
				"free": map[string]any{"known": 1, "other": map[string]any{"deep": 1}},
			},
			unchecked: []string{"spec.free.other"},
		},
		"several faults": {
			reason:  "every fault is told, not only the first",
			spec:    map[string]any{"size": 0, "colour": "blue", "grade": "a", "maybe": "b"},
			refused: []string{"FieldValueInvalid ", "FieldValueNotSupported spec.colour", "FieldValueInvalid spec.size"},
		},
		"rule in CEL": {
			reason:  "CEL rules are judged once the schema is content",
			spec:    map[string]any{"size": 1, "colour": "black", "grade": "a", "maybe": "b", "least": 3, "most": 2},
			refused: []string{"FieldValueInvalid spec", "FieldValueForbidden spec.colour"},
		},
		"entry given twice": {
			reason: "an entry of a map-like list must not be there twice",
			spec: map[string]any{"size": 1, "colour": "red", "grade": "a", "maybe": "b", "parts": []any{
				map[string]any{
					"name":  "a",
					"count": 1,
					"when":  map[string]any{},
				}, map[string]any{"name": "a", "count": 1, "when": map[string]any{}}}},
			refused: []string{"FieldValueDuplicate spec.parts[1]"},
		},
	}
	for label, tc := range cases {
		t.Run(label, func(t *testing.T) {
			verdict, err := definition.Create(t.Context(), widget(tc.spec))
			if err != nil {
				t.Fatal(err)
			}
			var refused []string
			for _, r := range verdict.Refused {
				refused = append(refused, r.Type+" "+r.Path)
			}
			if diff := cmp.Diff(tc.refused, refused); diff != "" || verdict.Accepted != (len(tc.refused) == 0) {
				t.Errorf("%s: refused: -want +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.pruned, verdict.Pruned, cmpEmpty); diff != "" {
				t.Errorf("%s: pruned: -want +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.defaulted, verdict.Defaulted); diff != "" {
				t.Errorf("%s: defaulted: -want +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.unchecked, verdict.Unchecked, cmpEmpty); diff != "" {
				t.Errorf("%s: unchecked: -want +got:\n%s", tc.reason, diff)
			}
			if verdict.Kept() != (verdict.Accepted && len(tc.pruned) == 0) {
				t.Errorf("%s: Kept() is %t", tc.reason, verdict.Kept())
			}
			want := len(tc.refused) + len(tc.pruned) + len(tc.defaulted) + len(tc.unchecked)
			if n := len(verdict.Findings("east", crd.Name, "v1", "w")); n != want {
				t.Errorf("%s: %d findings, want %d", tc.reason, n, want)
			}
		})
	}
}

// TestUnstored: a field that the version has and the stored one has not is accepted, and gone when
// it is read again.
func TestUnstored(t *testing.T) {
	crd := widgets(t)
	older := crd.Spec.Versions[0].DeepCopy()
	older.Name, older.Storage, older.Deprecated = "v1beta1", false, true
	spec := older.Schema.OpenAPIV3Schema.Properties["spec"]
	spec.Properties["former"] = schema{Type: "string"}
	crd.Spec.Versions = append(crd.Spec.Versions, *older)
	definition, err := admit.Compile(&crd)
	if err != nil {
		t.Fatal(err)
	}
	object := widget(map[string]any{"size": 1, "colour": "red", "former": "x"})
	object["apiVersion"] = "example.com/v1beta1"
	verdict, err := definition.Create(t.Context(), object)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"spec.former"}, verdict.Unstored); diff != "" || verdict.Kept() ||
		len(verdict.Warnings) != 1 {
		t.Errorf("warnings %v, -want +got:\n%s", verdict.Warnings, diff)
	}
}

func TestErrors(t *testing.T) {
	crd := widgets(t)
	definition, err := admit.Compile(&crd)
	if err != nil {
		t.Fatal(err)
	}
	other, unserved, weird := widget(nil), widget(nil), widget(map[string]any{"size": struct{}{}})
	other["kind"], unserved["apiVersion"] = "Gadget", "example.com/v2"
	for label, tc := range map[string]struct {
		object map[string]any
		want   error
	}{
		"object of another kind":      {object: other, want: admit.ErrOtherKind},
		"version that is not served":  {object: unserved, want: admit.ErrNotServed},
		"value that no JSON can have": {object: weird},
		"no object at all":            {want: admit.ErrOtherKind},
	} {
		if _, err := definition.Create(t.Context(), tc.object); err == nil || tc.want != nil && !errors.Is(err, tc.want) {
			t.Errorf("%s: want %v, got %v", label, tc.want, err)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	_, err = definition.Create(ended, widget(map[string]any{"size": 1, "colour": "red"}))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("a verdict after the end: %v", err)
	}
	crd.Spec.Versions[0].Schema = nil
	if _, err := admit.Compile(&crd); err == nil || !strings.Contains(err.Error(), "has no schema") {
		t.Errorf("a version without a schema: %v", err)
	}
}

// TestCacheOfSchemas: eight clusters with the same definition compile each of its schemas once, and
// judge at the same time.
func TestCacheOfSchemas(t *testing.T) {
	var (
		cache    admit.Cache
		clusters sync.WaitGroup
		held     = make([]*admit.Definition, 8)
	)
	for i := range held {
		clusters.Go(func() {
			crd := widgets(t)
			definition, err := cache.Compile(&crd)
			if err != nil {
				t.Error(err)
				return
			}
			held[i] = definition
			g := generator{random: rand.New(rand.NewPCG(3, uint64(i)))}
			for range 50 {
				object := g.object(&crd, 0, "w")
				g.spoil(object, 2)
				before := crdcheck.PathsOf(object)
				if _, err := definition.Create(t.Context(), object); err != nil {
					t.Error(err)
				}
				if diff := cmp.Diff(before, crdcheck.PathsOf(object)); diff != "" {
					t.Errorf("the object changed: -before +after:\n%s", diff)
				}
			}
		})
	}
	clusters.Wait()
	if n := cache.Compiled(); n != 1 {
		t.Errorf("%d compilations of one schema", n)
	}
}

// FuzzCreate: whatever an object is, there is a verdict or an error, and the same one twice.
func FuzzCreate(f *testing.F) {
	crd := widgets(f)
	definition, err := admit.Compile(&crd)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint64(1), uint8(3))
	f.Fuzz(func(t *testing.T, seed uint64, spoilt uint8) {
		g := generator{random: rand.New(rand.NewPCG(seed, 1))}
		object := g.object(&crd, 0, "w")
		g.spoil(object, int(spoilt%16))
		g.spoilMetadata(object)
		first, err := definition.Create(t.Context(), object)
		second, again := definition.Create(t.Context(), object)
		if (err == nil) != (again == nil) {
			t.Fatalf("%v, then %v", err, again)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Errorf("-first +second:\n%s", diff)
		}
	})
}

// BenchmarkAdmitVM is one virtual machine of KubeVirt.
func BenchmarkAdmitVM(b *testing.B) {
	crd := kubeVirt(b, "virtualmachines.kubevirt.io")[0]
	definition, err := admit.Compile(&crd)
	if err != nil {
		b.Fatal(err)
	}
	g := generator{random: rand.New(rand.NewPCG(5, 5))}
	object := g.object(&crd, 0, "vm")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := definition.Create(b.Context(), object); err != nil {
			b.Fatal(err)
		}
	}
}

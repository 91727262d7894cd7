package schemas_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yannh/kubeconform/pkg/validator"

	"github.com/vitistack/kubevirt-multicluster/deploy/internal/schemas"
)

var root = filepath.Join("..", "..", "..")

// written are the schemas of all definitions, in a folder.
func written(t *testing.T) string {
	t.Helper()
	definitions, err := filepath.Glob(filepath.Join(root, "api", "crds", "vitistack.io_*.yaml"))
	if err != nil || len(definitions) < 5 {
		t.Fatalf("%d definitions: %v", len(definitions), err)
	}
	folder := t.TempDir()
	for _, path := range definitions {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files, err := schemas.Of(content)
		if err != nil || len(files) < 3 {
			t.Fatalf("%s: %d files: %v", path, len(files), err)
		}
		for name, text := range files {
			name = filepath.Join(folder, name)
			if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, text, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return folder
}

// machine is a Machine with some lines in its spec.
func machine(lines string) string {
	return "apiVersion: vitistack.io/v1alpha1\nkind: Machine\nmetadata: {name: web, namespace: shop}\nspec:\n" + lines
}

// TestKubeconform gives manifests to kubeconform itself, with each layout as its users name it.
func TestKubeconform(t *testing.T) {
	samples, err := os.ReadFile(filepath.Join(root, "deploy", "samples", "machine.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	folder := written(t)
	catalogue := folder + "/{{.Group}}/{{.ResourceKind}}_{{.ResourceAPIVersion}}.json"
	for name, tc := range map[string]struct {
		reason   string
		location string
		strict   bool
		manifest string
		want     string // a part of the error, or ""
	}{
		"sample": {
			reason: "what we show is right", location: catalogue, manifest: string(samples),
		},
		"mistyped": {
			reason: "a mistyped name would be dropped without a word", location: catalogue,
			manifest: machine("  instancetype: small\n"), want: "instancetype",
		},
		"type": {
			reason: "an amount in bytes is a number", location: catalogue,
			manifest: machine("  memory: 2Gi\n"), want: "memory",
		},
		"minimum": {
			reason: "a bound of the definition holds", location: catalogue,
			manifest: machine("  disks: [{sizeGB: 0}]\n"), want: "sizeGB",
		},
		"other version": {
			reason: "a version that is not served has no schema", location: catalogue,
			manifest: strings.Replace(machine("  memory: 1\n"), "v1alpha1", "v1", 1), want: "could not find schema",
		},
		"kubeval": {
			reason: "a location without a pattern is a folder", location: folder + "/master-standalone/{{.ResourceKind}}{{.KindSuffix}}.json",
			manifest: machine("  instanceType: small\n"),
		},
		"default layout": {
			reason: "without strictness unknown names are let through", location: folder,
			manifest: machine("  instancetype: small\n"),
		},
		"default layout, strict": {
			reason: "with it they are not", location: folder, strict: true,
			manifest: machine("  instancetype: small\n"), want: "instancetype",
		},
	} {
		t.Run(name, func(t *testing.T) {
			checker, err := validator.New([]string{tc.location}, validator.Opts{Strict: tc.strict})
			if err != nil {
				t.Fatal(err)
			}
			results := checker.Validate("manifest.yaml", io.NopCloser(strings.NewReader(tc.manifest)))
			if len(results) == 0 {
				t.Fatal("nothing was checked")
			}
			for _, result := range results {
				text := ""
				if result.Err != nil {
					text = result.Err.Error()
				}
				if valid := result.Status == validator.Valid; valid != (tc.want == "") || !strings.Contains(text, tc.want) {
					t.Errorf("%s: want %q, got status %v: %s", tc.reason, tc.want, result.Status, text)
				}
			}
		})
	}
}

// TestConverted: what JSON Schema has other words for.
func TestConverted(t *testing.T) {
	const crd = `kind: CustomResourceDefinition
spec:
  group: example.test
  names: {kind: Thing}
  versions:
  - name: v1
    served: true
    schema:
      openAPIV3Schema:
        type: object
        properties:
          spec:
            type: object
            properties:
              port: {x-kubernetes-int-or-string: true, anyOf: [{type: integer}, {type: string}]}
              note: {type: string, nullable: true}
              any: {type: object, x-kubernetes-preserve-unknown-fields: true, properties: {known: {type: string}}}
              either: {type: object, properties: {a: {type: string}, b: {type: string}}, oneOf: [{properties: {a: {minLength: 1}}, required: [a]}, {required: [b]}]}
              properties: {type: object, properties: {x-kubernetes-name: {type: string}}}
  - name: v0
    served: false
`
	files, err := schemas.Of([]byte(crd))
	if err != nil || len(files) != 3 {
		t.Fatalf("%d files, want those of v1: %v", len(files), err)
	}
	folder := t.TempDir()
	path := filepath.Join(folder, "thing.json")
	if err := os.WriteFile(path, files["example.test/thing_v1.json"], 0o644); err != nil {
		t.Fatal(err)
	}
	checker, err := validator.New([]string{path}, validator.Opts{})
	if err != nil {
		t.Fatal(err)
	}
	for spec, want := range map[string]validator.Status{
		"{port: 80}": validator.Valid, "{port: http}": validator.Valid, "{port: [80]}": validator.Invalid,
		"{note: null}": validator.Valid, "{note: 1}": validator.Invalid,
		"{any: {known: a, more: b}}": validator.Valid, "{more: b}": validator.Invalid,
		"{either: {a: x}}": validator.Valid, "{either: {b: x}}": validator.Valid, "{either: {a: '', c: x}}": validator.Invalid,
		"{properties: {x-kubernetes-name: a}}": validator.Valid, "{properties: {x-kubernetes-other: a}}": validator.Invalid,
	} {
		manifest := "apiVersion: example.test/v1\nkind: Thing\nmetadata: {name: a}\nspec: " + spec + "\n"
		for _, result := range checker.Validate("thing.yaml", io.NopCloser(strings.NewReader(manifest))) {
			if result.Status != want {
				t.Errorf("%s: status %v, want %v: %v", spec, result.Status, want, result.Err)
			}
		}
	}
}

// TestNoDefinition: a file that is no definition gives no schema without a word.
func TestNoDefinition(t *testing.T) {
	for _, text := range []string{"kind: ConfigMap", "kind: CustomResourceDefinition", "{"} {
		if files, err := schemas.Of([]byte(text)); err == nil {
			t.Errorf("%s gives %d files", text, len(files))
		}
	}
}

package differential

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

type crd = apiextensionsv1.CustomResourceDefinition

// release is one version of a public project: where its definitions are in its module.
type release struct{ module, version, folder string }

// projects are the releases that are compared, in their order.
var projects = map[string][]release{
	"cluster-api": {
		{
			"sigs.k8s.io/cluster-api",
			"v1.10.0",
			"config/crd/bases",
		}, {"sigs.k8s.io/cluster-api", "v1.11.0", "config/crd/bases"},
	},
	"cert-manager": {
		{
			"github.com/cert-manager/cert-manager",
			"v1.17.0",
			"deploy/crds",
		}, {"github.com/cert-manager/cert-manager", "v1.18.0", "deploy/crds"},
	},
	"gateway-api": {
		{
			"sigs.k8s.io/gateway-api",
			"v1.4.1",
			"config/crd/standard",
		}, {"sigs.k8s.io/gateway-api", "v1.5.1", "config/crd/standard"},
	},
	"kubevirt": {
		{
			"kubevirt.io/kubevirt",
			"v1.6.0",
			"",
		},
		{"kubevirt.io/kubevirt", "v1.7.0", ""},
		{"kubevirt.io/kubevirt", "v1.8.2", ""},
		{"kubevirt.io/kubevirt", "v1.9.0", ""},
	},
}

var loaded sync.Map // release -> func() ([]crd, error)

// definitions returns the definitions of a release, by name. They are read once; nobody changes
// them.
func definitions(t testing.TB, r release) map[string]*crd {
	t.Helper()
	read, _ := loaded.LoadOrStore(r, sync.OnceValues(func() ([]crd, error) { return load(r) }))
	crds, err := read.(func() ([]crd, error))()
	if err != nil {
		t.Fatalf("%s %s: %v", r.module, r.version, err)
	}
	byName := map[string]*crd{}
	for i := range crds {
		byName[crds[i].Name] = &crds[i]
	}
	return byName
}

func load(r release) ([]crd, error) {
	dir, err := download(r)
	if err != nil {
		return nil, err
	}
	if r.folder == "" {
		return kubeVirt(dir)
	}
	files, err := filepath.Glob(filepath.Join(dir, r.folder, "*.yaml"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no definitions in %s: %w", r.folder, err)
	}
	var all []crd
	for _, file := range files {
		content, err := os.Open(file)
		if err != nil {
			return nil, err
		}
		crds, err := crdcheck.Load(content)
		_ = content.Close()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Base(file), err)
		}
		all = append(all, crds...)
	}
	return all, nil
}

// download returns the folder of a module, which the go command verifies by its checksum.
func download(r release) (string, error) {
	command := exec.Command("go", "mod", "download", "-json", r.module+"@"+r.version)
	command.Dir = os.TempDir() // outside of this module: its requirements are no matter
	output, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("go mod download: %w: %s", err, output)
	}
	var found struct{ Dir string }
	return found.Dir, json.Unmarshal(output, &found)
}

// kubeVirt takes the schemas of virtual machines out of KubeVirt's generated code; its operator
// makes the definitions around them.
func kubeVirt(dir string) ([]crd, error) {
	file := filepath.Join(dir, "pkg/virt-operator/resource/generate/components/validations_generated.go")
	parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		return nil, err
	}
	schemas := map[string]string{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		if pair, is := n.(*ast.KeyValueExpr); is {
			key, _ := strconv.Unquote(pair.Key.(*ast.BasicLit).Value)
			schemas[key], _ = strconv.Unquote(pair.Value.(*ast.BasicLit).Value)
		}
		return true
	})
	var all []crd
	for _, kind := range []string{"VirtualMachine", "VirtualMachineInstance"} {
		made, err := virtualMachines(kind, schemas[strings.ToLower(kind)])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
		all = append(all, made)
	}
	return all, nil
}

func virtualMachines(kind, text string) (crd, error) {
	var schema apiextensionsv1.CustomResourceValidation
	if err := yaml.Unmarshal([]byte(text), &schema); err != nil || schema.OpenAPIV3Schema == nil {
		return crd{}, fmt.Errorf("no schema: %w", err)
	}
	singular := strings.ToLower(kind)
	return crd{
		ObjectMeta: metav1.ObjectMeta{Name: singular + "s.kubevirt.io"},
		Spec: apiextensionsv1.CustomResourceDefinitionSpec{
			Group: "kubevirt.io", Scope: apiextensionsv1.NamespaceScoped,
			Names: apiextensionsv1.CustomResourceDefinitionNames{Plural: singular + "s", Singular: singular, Kind: kind},
			Versions: []apiextensionsv1.CustomResourceDefinitionVersion{ // as api/core/v1.ApiSupportedVersions
				{Name: "v1", Served: true, Storage: true, Schema: schema.DeepCopy()},
				{Name: "v1alpha3", Served: true, Deprecated: true, Schema: schema.DeepCopy()},
			},
		},
		Status: apiextensionsv1.CustomResourceDefinitionStatus{StoredVersions: []string{"v1"}},
	}, nil
}

// pair is one definition in two releases that follow each other.
type pair struct {
	label    string
	old, new *crd
}

func pairs(t testing.TB) []pair {
	t.Helper()
	var all []pair
	for project, releases := range projects {
		for i := range releases[1:] {
			old, found := definitions(t, releases[i]), definitions(t, releases[i+1])
			for name := range old {
				if found[name] != nil {
					all = append(
						all,
						pair{
							fmt.Sprintf("%s %s to %s: %s", project, releases[i].version, releases[i+1].version, name),
							old[name],
							found[name],
						},
					)
				}
			}
		}
	}
	if len(all) < 25 {
		t.Fatalf("only %d pairs", len(all))
	}
	return all
}

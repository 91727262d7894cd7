package differential

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
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

var loaded sync.Map // release -> func() ([]crd, error)

// read returns the definitions of a release; they are read once.
func read(r release) ([]crd, error) {
	once, _ := loaded.LoadOrStore(r, sync.OnceValues(func() ([]crd, error) { return load(r) }))
	return once.(func() ([]crd, error))()
}

// definitions returns the definitions of a release, by name. Nobody changes them.
func definitions(t testing.TB, r release) map[string]*crd {
	t.Helper()
	crds, err := read(r)
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
	if r.files == "" {
		return kubeVirt(dir)
	}
	files, err := filesOf(r, dir)
	if err != nil {
		return nil, err
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

// filesOf returns the files of a release that hold definitions, in the folder of its module.
func filesOf(r release, dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, r.files))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("no files are %s: %w", r.files, err)
	}
	return files, nil
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
	label, project string
	old, new       *crd
}

// pairs returns all of them, by project, release and name.
func pairs(t testing.TB) []pair {
	t.Helper()
	var reading sync.WaitGroup
	for _, releases := range projects {
		for _, r := range releases {
			reading.Go(func() { _, _ = read(r) }) // definitions tells the error
		}
	}
	reading.Wait()
	var all []pair
	for _, project := range slices.Sorted(maps.Keys(projects)) {
		releases := projects[project]
		for i := range releases[1:] {
			old, found := definitions(t, releases[i]), definitions(t, releases[i+1])
			for _, name := range slices.Sorted(maps.Keys(old)) {
				if found[name] != nil {
					label := fmt.Sprintf("%s %s to %s: %s", project, releases[i].version, releases[i+1].version, name)
					all = append(all, pair{label, project, old[name], found[name]})
				}
			}
		}
	}
	return all
}

// eachPair checks every pair, on all cores.
func eachPair(t *testing.T, check func(t *testing.T, p pair)) {
	t.Helper()
	for _, p := range pairs(t) {
		t.Run(p.label, func(t *testing.T) {
			t.Parallel()
			check(t, p)
		})
	}
}

// TestCorpusIsBroad: what is found in one family of definitions says little about others.
func TestCorpusIsBroad(t *testing.T) {
	inKubeVirt, others := 0, map[string]int{}
	for _, p := range pairs(t) {
		if strings.HasPrefix(p.project, "kubevirt") {
			inKubeVirt++
		} else {
			others[p.project]++
		}
	}
	sum := 0
	for _, count := range others {
		sum += count
	}
	t.Logf("%d pairs of KubeVirt, %d of %d other projects", inKubeVirt, sum, len(others))
	if len(others) < 20 || sum < 150 || inKubeVirt < 6 {
		t.Errorf("%d pairs of KubeVirt, %v of others", inKubeVirt, others)
	}
}

package release_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdxlib"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	yamlutil "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/deploy/internal/chart"
	"github.com/vitistack/kubevirt-multicluster/deploy/internal/release"
)

// root is the repository's. It is a link, because go test keeps an old result unless a file changes
// that it saw inside this module.
var root = filepath.Join("testdata", "repository")

// here is the platform of the tests: one is enough to see all that a release does.
var here = release.Platform{OS: "linux", Architecture: runtime.GOARCH}

// TestOwn releases the commit of this repository that is checked out, twice, and looks at each file.
// It takes a minute or two on two cores.
func TestOwn(t *testing.T) {
	lookAtAll(t)
	clone := filepath.Join(t.TempDir(), "clone")
	// Without tags it is a first release, whatever has been released.
	output(t, ".", "clone", "-q", "--no-tags", root, clone)
	first, second := filepath.Join(t.TempDir(), "a"), filepath.Join(t.TempDir(), "b")
	program := build(t)
	for _, folder := range []string{first, second} {
		command := exec.CommandContext(t.Context(), program, "--output", folder, "--platform",
			here.OS+"/"+here.Architecture)
		command.Dir = filepath.Join(clone, "deploy")
		if said, err := command.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
	}
	files := tree(t, first)
	version := func(folder string) string {
		_, after, _ := strings.Cut("\n"+files["tags"], "\n"+folder+"/v")
		number, _, _ := strings.Cut(after, "\n")
		return "v" + number
	}
	operator := version("operator")
	for name, content := range tree(t, second) {
		if files[name] != content {
			t.Errorf("%s has other bytes the second time", name)
		}
	}
	platform := here.String()
	want := []string{
		"SHA256SUMS", "crd-schemas.tar.gz", "crdcheck-" + platform + ".spdx.json", "crdcheck-" + platform + ".tar.gz",
		"install.yaml", "kubectl-machine-" + platform + ".spdx.json", "kubectl-machine-" + platform + ".tar.gz",
		"kubevirt-operator-" + strings.TrimPrefix(operator, "v") + ".tgz", "machine.yaml", "notes.md",
		"placement-plugins-" + platform + ".spdx.json", "placement-plugins-" + platform + ".tar.gz", "tags",
	}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(files))); diff != "" {
		t.Fatalf("files (-want +got):\n%s", diff)
	}
	t.Run("sums", func(t *testing.T) { wantSums(t, files) })
	t.Run("tags", func(t *testing.T) { wantTags(t, files["tags"]) })
	t.Run("install", func(t *testing.T) { wantInstall(t, clone, files["install.yaml"]) })
	t.Run("chart", func(t *testing.T) { wantChart(t, filepath.Join(first, want[7]), operator) })
	t.Run("schemas", func(t *testing.T) { wantSchemas(t, files["crd-schemas.tar.gz"]) })
	t.Run("krew", func(t *testing.T) { wantKrew(t, files, operator) })
	for product, programs := range map[string]map[string]string{
		"kubectl-machine":   {"kubectl-machine": operator},
		"crdcheck":          {"crdcheck": version("crdcheck")},
		"placement-plugins": {"placement-annotation": version("placement-plugins"), "placement-spread": version("placement-plugins")},
	} {
		t.Run(product, func(t *testing.T) {
			wantPrograms(t, files[product+"-"+platform+".tar.gz"], programs)
			wantBill(t, files[product+"-"+platform+".spdx.json"], files[product+"-"+platform+".tar.gz"])
		})
	}
}

// build compiles the command as make does: with the race detector, packing would take minutes.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "release")
	command := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", program, "../../cmd/release")
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOWORK=off")
	if said, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return program
}

// lookAtAll looks at each file of the repository, so that go test knows what the result depends on.
func lookAtAll(t *testing.T) {
	t.Helper()
	count := 0
	for name := range strings.SplitSeq(output(t, root, "ls-files", "-z"), "\x00") {
		if _, err := os.Stat(filepath.Join(root, name)); err == nil {
			count++
		}
	}
	if count < 1000 {
		t.Errorf("%d files: is this a clone?", count)
	}
}

// wantSums holds that SHA256SUMS has each file and its digest.
func wantSums(t *testing.T, files map[string]string) {
	var want strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if name != "SHA256SUMS" {
			fmt.Fprintf(&want, "%x  %s\n", sha256.Sum256([]byte(files[name])), name)
		}
	}
	if diff := cmp.Diff(want.String(), files["SHA256SUMS"]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// wantTags holds that all modules get a tag, those that others require first.
func wantTags(t *testing.T, tags string) {
	folder := func(line string) string { return line[:strings.LastIndex(line, "/")] }
	var order []string
	for line := range strings.Lines(tags) {
		order = append(order, folder(line))
	}
	if len(order) < 11 {
		t.Errorf("%d tags: %v", len(order), order)
	}
	for _, pair := range [][2]string{
		{"api", "testkit"}, {"testkit", "clientmgr"}, {"clientmgr", "clientmgr/multicluster"}, {"placement", "placement/host"},
		{"placement/host", "operator"}, {"crdcheck", "clusterstatus"}, {"clusterstatus", "operator"},
	} {
		before, after := slices.Index(order, pair[0]), slices.Index(order, pair[1])
		if before < 0 || after < 0 || before > after {
			t.Errorf("%s is to be tagged before %s: %v", pair[0], pair[1], order)
		}
	}
}

// wantInstall holds that install.yaml has the objects of deploy/supervisor, and that what others
// need comes first. That the chart renders the same is held by its own tests.
func wantInstall(t *testing.T, clone, text string) {
	rendered, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(),
		filepath.Join(clone, "deploy", "supervisor"))
	if err != nil {
		t.Fatal(err)
	}
	stream, err := rendered.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	want, _ := objects(t, stream)
	got, order := objects(t, []byte(text))
	if len(want) < 15 {
		t.Errorf("%d objects: the test looked at nothing", len(want))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-deploy/supervisor +install.yaml:\n%s", diff)
	}
	if !strings.HasPrefix(order[0], "Namespace") || !strings.HasPrefix(order[2], "CustomResourceDefinition") {
		t.Errorf("namespaces and definitions are to come first: %q", order[:4])
	}
}

// objects are those of a stream of YAML, and their order.
func objects(t *testing.T, stream []byte) (all map[string]any, order []string) {
	t.Helper()
	all = map[string]any{}
	decoder := yamlutil.NewYAMLOrJSONDecoder(bytes.NewReader(stream), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return all, order
		}
		if err != nil {
			t.Fatal(err)
		}
		key := object.GetKind() + " " + object.GetNamespace() + "/" + object.GetName()
		all[key], order = object.Object, append(order, key)
	}
}

// wantChart holds that the archive is the chart, which installs this version.
func wantChart(t *testing.T, path, version string) {
	loaded, err := chart.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	made, err := chart.Render(t.Context(), loaded, chart.Release{Name: "kubevirt-operator", Namespace: "kubevirt-operator"})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(made.Manifest, "/kubevirt-operator:"+version) {
		t.Errorf("the chart does not install %s", version)
	}
}

func wantSchemas(t *testing.T, packed string) {
	got := unpacked(t, packed)
	for _, kind := range []string{"kubevirtconfig", "machine", "machineclass", "networkconfiguration", "networknamespace"} {
		for _, name := range []string{
			"vitistack.io/" + kind + "_v1alpha1.json", "master-standalone/" + kind + "-vitistack-v1alpha1.json",
			"master-standalone-strict/" + kind + "-vitistack-v1alpha1.json",
		} {
			if !strings.Contains(string(got[name].content), `"$schema"`) {
				t.Errorf("there is no schema %s", name)
			}
		}
	}
}

// wantKrew holds that krew gets each archive, with its digest.
func wantKrew(t *testing.T, files map[string]string, version string) {
	var manifest struct {
		Spec struct {
			Version   string
			Platforms []struct {
				Selector struct{ MatchLabels map[string]string }
				URI, Bin string
				SHA256   string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(files["machine.yaml"]), &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.Spec.Version != version || len(manifest.Spec.Platforms) != 1 {
		t.Fatalf("version %s, %d platforms", manifest.Spec.Version, len(manifest.Spec.Platforms))
	}
	platform := manifest.Spec.Platforms[0]
	name := "kubectl-machine-" + here.String() + ".tar.gz"
	if want := fmt.Sprintf("%x", sha256.Sum256([]byte(files[name]))); platform.SHA256 != want ||
		!strings.HasSuffix(platform.URI, "/releases/download/operator/"+version+"/"+name) {
		t.Errorf("%+v, want the digest %s", platform, want)
	}
	if _, found := unpacked(t, files[name])[platform.Bin]; !found {
		t.Errorf("%s is not in the archive", platform.Bin)
	}
}

// wantPrograms runs programs of an archive, each of which says its version.
func wantPrograms(t *testing.T, packed string, versions map[string]string) {
	folder := t.TempDir()
	files := unpacked(t, packed)
	for name, version := range versions {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, files[name].content, os.FileMode(files[name].mode)); err != nil {
			t.Fatal(err)
		}
		said, err := exec.CommandContext(t.Context(), path, "--version").CombinedOutput()
		if err != nil || !strings.Contains(string(said), version) {
			t.Errorf("%s says %q, want %s: %v", name, said, version, err)
		}
	}
	if len(files["LICENSE"].content) == 0 {
		t.Error("the licence is not in the archive")
	}
}

// wantBill holds that the bill of materials is valid, and about this archive.
func wantBill(t *testing.T, text, packed string) {
	document, err := spdxjson.Read(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if err := spdxlib.ValidateDocument(document); err != nil {
		t.Error(err)
	}
	want := fmt.Sprintf("%x", sha256.Sum256([]byte(packed)))
	if got := document.Packages[0].PackageChecksums; len(got) != 1 || got[0].Value != want {
		t.Errorf("the bill is of %v, want %s", got, want)
	}
	if len(document.Packages) < 5 {
		t.Errorf("%d packages", len(document.Packages))
	}
}

type file struct {
	mode    int64
	content []byte
}

// unpacked are the files of a compressed archive. All must have one owner.
func unpacked(t *testing.T, packed string) map[string]file {
	t.Helper()
	plain, err := gzip.NewReader(strings.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]file{}
	reader := tar.NewReader(plain)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			t.Fatal(err)
		}
		if header.Uid != 0 || header.Gid != 0 {
			t.Errorf("%s belongs to %d:%d", header.Name, header.Uid, header.Gid)
		}
		all[header.Name] = file{header.Mode, content}
	}
}

// tree are the files of a folder.
func tree(t *testing.T, folder string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[entry.Name()] = string(content)
	}
	return all
}

// output is what a git command prints.
func output(t *testing.T, folder string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "git", args...)
	command.Dir = folder
	text, err := command.Output()
	if err != nil {
		t.Fatalf("git %s: %v", args[0], err)
	}
	return string(text)
}

package image_test

import (
	"bytes"
	"runtime"
	"slices"
	"strings"
	"testing"

	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx"
	"github.com/spdx/tools-golang/spdx/v2/common"
	"github.com/spdx/tools-golang/spdxlib"
)

// TestMaterials: whoever asks whether a vulnerable module is in the image finds it, with the
// program that has it.
func TestMaterials(t *testing.T) {
	made := built(t)
	for architecture, one := range images(t, made.Index) {
		if architecture != runtime.GOARCH {
			continue // its operator is a stand-in
		}
		document, err := spdxjson.Read(bytes.NewReader(made.Materials[architecture]))
		if err != nil {
			t.Fatal(err)
		}
		if err := spdxlib.ValidateDocument(document); err != nil {
			t.Errorf("%s: %v", architecture, err)
		}
		packages := map[common.ElementID]*spdx.Package{}
		for _, p := range document.Packages {
			if packages[p.PackageSPDXIdentifier] != nil {
				t.Errorf("%s: two packages are called %s", architecture, p.PackageSPDXIdentifier)
			}
			packages[p.PackageSPDXIdentifier] = p
		}
		digest, err := one.Digest()
		if err != nil {
			t.Fatal(err)
		}
		if got := packages["Image"].PackageChecksums; len(got) != 1 || got[0].Value != digest.Hex {
			t.Errorf("%s: the bill is of %v, want %s", architecture, got, digest)
		}
		for module, programs := range map[string][]string{
			"stdlib":                         {"operator", "placement-single"},
			"sigs.k8s.io/controller-runtime": {"operator"},
			"github.com/hashicorp/go-plugin": {"operator", "placement-single"},
			"github.com/vitistack/kubevirt-multicluster/clientmgr": {"operator"},
		} {
			if got := users(document, packages, module); !containsAll(got, programs) ||
				len(programs) == 1 && slices.Contains(got, "placement-single") {
				t.Errorf("%s: %s is used by %v, want %v", architecture, module, got, programs)
			}
		}
		for _, p := range document.Packages {
			if strings.HasPrefix(string(p.PackageSPDXIdentifier), "Module-") && (p.PackageVersion == "" || p.PackageVersion == "(devel)") {
				t.Errorf("%s: %s has no version", architecture, p.PackageName)
			}
		}
	}
}

// users are the programs that depend on a module, by their names.
func users(document *spdx.Document, packages map[common.ElementID]*spdx.Package, module string) []string {
	var all []string
	for _, relation := range document.Relationships {
		if relation.Relationship != common.TypeRelationshipDependsOn {
			continue
		}
		if to := packages[relation.RefB.ElementRefID]; to != nil && to.PackageName == module {
			all = append(all, packages[relation.RefA.ElementRefID].PackageName)
		}
	}
	return all
}

func containsAll(all, some []string) bool {
	for _, one := range some {
		if !slices.Contains(all, one) {
			return false
		}
	}
	return true
}

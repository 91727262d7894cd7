package materials

import (
	"bytes"
	"debug/buildinfo"
	"encoding/hex"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx"
	"github.com/spdx/tools-golang/spdx/v2/common"
)

const source = "https://github.com/vitistack/kubevirt-multicluster"

// noAssertion says that nobody has looked.
const noAssertion = "NOASSERTION"

// Subject is what a bill of materials is about.
type Subject struct {
	// Identifier is what the document calls it, for example Image.
	Identifier string
	// Name is what people call it, for example kubevirt-operator, and Platform what it is made for, for
	// example linux-amd64.
	Name, Platform string
	// Version is that of all modules of this repository in it.
	Version string
	// Purpose is one of SPDX's words: CONTAINER or ARCHIVE.
	Purpose string
	// SHA256 is its digest in hexadecimal.
	SHA256 string
	// Created is the time of the commit.
	Created time.Time
}

// Bill returns the bill of materials as SPDX in JSON. The programs are paths of binaries that the
// Go compiler made. The same subject and programs give the same bytes.
func Bill(of Subject, programs []string) ([]byte, error) {
	document := &spdx.Document{
		SPDXVersion: spdx.Version, DataLicense: spdx.DataLicense, SPDXIdentifier: "DOCUMENT",
		DocumentName:      of.Name + "-" + of.Version + "-" + of.Platform,
		DocumentNamespace: source + "/materials/" + of.SHA256,
		CreationInfo: &spdx.CreationInfo{
			Created:  of.Created.UTC().Format(time.RFC3339),
			Creators: []common.Creator{{CreatorType: "Tool", Creator: "kubevirt-multicluster"}},
		},
	}
	subject := &spdx.Package{
		PackageName: of.Name, PackageVersion: of.Version, PackageSPDXIdentifier: common.ElementID(of.Identifier),
		PackageDownloadLocation: source, PackageLicenseConcluded: noAssertion, PackageLicenseDeclared: "Apache-2.0",
		PackageChecksums:      []common.Checksum{{Algorithm: common.SHA256, Value: of.SHA256}},
		PrimaryPackagePurpose: of.Purpose,
	}
	document.Packages = append(document.Packages, subject)
	relate(document, "DOCUMENT", common.TypeRelationshipDescribe, subject.PackageSPDXIdentifier)
	modules := map[string]*spdx.Package{}
	for _, path := range programs {
		program, err := describe(path, of.Version)
		if err != nil {
			return nil, err
		}
		document.Packages = append(document.Packages, program.itself)
		relate(document, subject.PackageSPDXIdentifier, common.TypeRelationshipContains, program.itself.PackageSPDXIdentifier)
		for _, module := range program.modules {
			modules[module.PackageName+module.PackageVersion] = module
			relate(document, program.itself.PackageSPDXIdentifier, common.TypeRelationshipDependsOn,
				module.PackageSPDXIdentifier)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(modules)) {
		document.Packages = append(document.Packages, modules[key])
	}
	var text bytes.Buffer
	err := spdxjson.Write(document, &text, spdxjson.Indent("  "), spdxjson.EscapeHTML(false))
	return text.Bytes(), err
}

func relate(document *spdx.Document, from common.ElementID, how string, to common.ElementID) {
	document.Relationships = append(document.Relationships, &spdx.Relationship{
		RefA: common.MakeDocElementID("", string(from)), RefB: common.MakeDocElementID("", string(to)), Relationship: how,
	})
}

// A described program is a package, and those of its modules.
type described struct {
	itself  *spdx.Package
	modules []*spdx.Package
}

func describe(path, version string) (described, error) {
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return described{}, fmt.Errorf("%s does not say what it was built from: %w", path, err)
	}
	if len(info.Deps) == 0 {
		return described{}, fmt.Errorf("%s says that it was built from nothing", path)
	}
	program := described{itself: &spdx.Package{
		PackageName: filepath.Base(path), PackageVersion: version,
		PackageSPDXIdentifier:   identifier("Program", filepath.Base(path)),
		PackageDownloadLocation: source, PackageLicenseConcluded: noAssertion, PackageLicenseDeclared: "Apache-2.0",
		PackageFileName: filepath.Base(path), PrimaryPackagePurpose: "APPLICATION",
	}, modules: []*spdx.Package{goModule("stdlib", strings.TrimPrefix(info.GoVersion, "go"), "")}}
	for _, module := range info.Deps {
		if module.Replace != nil && module.Replace.Version != "" {
			module = module.Replace
		}
		moduleVersion := module.Version
		if moduleVersion == "(devel)" || moduleVersion == "" {
			moduleVersion = version // a module of this repository
		}
		program.modules = append(program.modules, goModule(module.Path, moduleVersion, module.Sum))
	}
	return program, nil
}

// goModule is a module as a package. Its sum is Go's hash of all its files, which is no checksum
// that SPDX knows, so that it is a comment.
func goModule(path, version, sum string) *spdx.Package {
	module := &spdx.Package{
		PackageName: path, PackageVersion: version, PackageSPDXIdentifier: identifier("Module", path+"-"+version),
		PackageDownloadLocation: noAssertion, PackageLicenseConcluded: noAssertion, PackageLicenseDeclared: noAssertion,
		PackageComment: sum,
		PackageExternalReferences: []*spdx.PackageExternalReference{{
			Category: common.CategoryPackageManager, RefType: common.TypePackageManagerPURL,
			Locator: "pkg:golang/" + path + "@" + version,
		}},
	}
	return module
}

var notInIdentifiers = regexp.MustCompile(`[^A-Za-z0-9.-]+`)

// identifier is an SPDX identifier. What it cannot have is told by the name's hexadecimal digits.
func identifier(kind, name string) common.ElementID {
	return common.ElementID(kind + "-" + notInIdentifiers.ReplaceAllStringFunc(name, func(text string) string {
		if text == "/" {
			return "-"
		}
		return "-" + hex.EncodeToString([]byte(text)) + "-"
	}))
}

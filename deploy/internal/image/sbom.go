package image

import (
	"bytes"
	"debug/buildinfo"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	spdxjson "github.com/spdx/tools-golang/json"
	"github.com/spdx/tools-golang/spdx"
	"github.com/spdx/tools-golang/spdx/v2/common"
)

// MaterialsType is the media type of a bill of materials.
const MaterialsType = "application/spdx+json"

// noAssertion says that nobody has looked.
const noAssertion = "NOASSERTION"

// materials is the bill of what the programs of an image were built from: the modules that the Go
// compiler wrote into them.
func materials(options Options, architecture string, one v1.Image) ([]byte, error) {
	digest, err := one.Digest()
	if err != nil {
		return nil, err
	}
	programs := options.Programs[architecture]
	plugins, err := programs.check(architecture)
	if err != nil {
		return nil, err
	}
	document := &spdx.Document{
		SPDXVersion: spdx.Version, DataLicense: spdx.DataLicense, SPDXIdentifier: "DOCUMENT",
		DocumentName:      "kubevirt-operator-" + options.Version + "-linux-" + architecture,
		DocumentNamespace: source + "/materials/" + digest.Hex,
		CreationInfo: &spdx.CreationInfo{
			Created:  options.Created.Format(time.RFC3339),
			Creators: []common.Creator{{CreatorType: "Tool", Creator: "kubevirt-multicluster-image"}},
		},
	}
	subject := &spdx.Package{
		PackageName: "kubevirt-operator", PackageVersion: options.Version, PackageSPDXIdentifier: "Image",
		PackageDownloadLocation: source, PackageLicenseConcluded: noAssertion, PackageLicenseDeclared: "Apache-2.0",
		PackageChecksums:      []common.Checksum{{Algorithm: common.SHA256, Value: digest.Hex}},
		PrimaryPackagePurpose: "CONTAINER",
	}
	document.Packages = append(document.Packages, subject)
	relate(document, "DOCUMENT", common.TypeRelationshipDescribe, subject.PackageSPDXIdentifier)
	modules := map[string]*spdx.Package{}
	for _, path := range append([]string{programs.Operator}, plugins...) {
		program, err := describe(path, options.Version)
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
	err = spdxjson.Write(document, &text, spdxjson.Indent("  "), spdxjson.EscapeHTML(false))
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

// attached is the artifact that carries a bill of materials to where the image is, as a referrer of
// it.
func attached(bill []byte, one v1.Image) (v1.Image, error) {
	artifact := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), MaterialsType)
	artifact, err := mutate.Append(artifact, mutate.Addendum{Layer: static.NewLayer(bill, MaterialsType)})
	if err != nil {
		return nil, err
	}
	subject, err := partial.Descriptor(one)
	if err != nil {
		return nil, err
	}
	referring, ok := mutate.Subject(artifact, *subject).(v1.Image)
	if !ok {
		return nil, errors.New("an artifact with a subject is no image")
	}
	return referring, nil
}

package release

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vitistack/kubevirt-multicluster/deploy/internal/materials"
	"github.com/vitistack/kubevirt-multicluster/deploy/internal/plan"
)

// Platform is what programs run on, in Go's words.
type Platform struct{ OS, Architecture string }

// String is the platform as it stands in names of files: linux-amd64.
func (p Platform) String() string { return p.OS + "-" + p.Architecture }

// ParsePlatform reads a platform such as linux/amd64.
func ParsePlatform(text string) (Platform, error) {
	system, architecture, found := strings.Cut(text, "/")
	if !found || !slices.Contains(DefaultPlatforms, Platform{system, architecture}) {
		return Platform{}, fmt.Errorf("%q is no platform that programs are released for: want one like linux/amd64", text)
	}
	return Platform{system, architecture}, nil
}

// A product is an archive of programs that is released for platforms.
type product struct {
	name string
	// module has the packages, which are paths in it.
	module, packages string
	// linux says that the programs run beside the operator, which runs on Linux.
	linux bool
	// rename gives programs other names than their packages have.
	rename map[string]string
	// beside are further programs, from the repository's root.
	beside []string
	// sums says that SHA256SUMS of the programs goes with them.
	sums bool
}

// kubectlMachine is what krew installs.
var kubectlMachine = product{
	name: "kubectl-machine", module: "operator", packages: ".", rename: map[string]string{"operator": "kubectl-machine"},
	beside: []string{"deploy/krew/kubectl_complete-machine"},
}

var products = []product{
	kubectlMachine,
	{name: "crdcheck", module: "crdcheck", packages: "./cmd/crdcheck"},
	{name: "placement-plugins", module: "placement-plugins", packages: "./cmd/...", linux: true, sums: true},
}

// file is the name of the product's archive for a platform.
func (p product) file(platform Platform) string { return p.name + "-" + platform.String() + ".tar.gz" }

// writePrograms writes the archives of all products for all platforms, each with its bill of
// materials.
func (r *release) writePrograms(ctx context.Context) error {
	compiler, err := newCompiler(ctx, r)
	if err != nil {
		return err
	}
	for _, product := range products {
		module, known := r.plan.Module(product.module)
		if !known {
			return fmt.Errorf("versions.yaml names no module %s", product.module)
		}
		for _, platform := range r.Platforms {
			if product.linux && platform.OS != "linux" {
				continue
			}
			programs, err := compiler.compile(ctx, product, module, platform)
			if err != nil {
				return err
			}
			if err := r.pack(product, module, platform, programs); err != nil {
				return err
			}
		}
	}
	return nil
}

// pack writes an archive and its bill of materials.
func (r *release) pack(product product, module plan.Module, platform Platform, programs []string) error {
	entries := map[string]entry{}
	var sums bytes.Buffer
	for _, path := range programs {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name := filepath.Base(path)
		if other, renamed := product.rename[name]; renamed {
			name = other
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(content), name)
		entries[name] = entry{content, true}
	}
	if product.sums {
		entries["SHA256SUMS"] = entry{content: sums.Bytes()}
	}
	for _, path := range append([]string{"LICENSE"}, product.beside...) {
		content, err := os.ReadFile(filepath.Join(r.source, path))
		if err != nil {
			return err
		}
		entries[filepath.Base(path)] = entry{content, path != "LICENSE"}
	}
	packed, err := archive(entries, r.plan.Commit.Time)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(packed)
	bill, err := materials.Bill(materials.Subject{
		Identifier: "Archive", Name: product.name, Platform: platform.String(), Version: module.Version, Purpose: "ARCHIVE",
		SHA256: hex.EncodeToString(digest[:]), Created: r.plan.Commit.Time,
	}, programs)
	if err != nil {
		return err
	}
	name := product.file(platform)
	return errors.Join(r.file(name, packed), r.file(strings.TrimSuffix(name, ".tar.gz")+".spdx.json", bill))
}

// A compiler builds programs from the modules by their versions, as strangers do: from a folder that
// stands in for the module proxy, in a module cache of its own, which forgets what a version
// contained.
type compiler struct {
	folder string
	env    []string
}

func newCompiler(ctx context.Context, r *release) (*compiler, error) {
	proxy, err := r.proxy(ctx)
	if err != nil {
		return nil, err
	}
	c := &compiler{folder: filepath.Join(r.scratch, "programs")}
	shared, err := goEnv(ctx, "GOMODCACHE")
	if err != nil {
		return nil, err
	}
	others, err := goEnv(ctx, "GOPROXY")
	if err != nil {
		return nil, err
	}
	c.env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod -modcacherw", "CGO_ENABLED=0",
		"GONOSUMDB="+strings.TrimSuffix(modulePrefix, "/"), "GONOPROXY=none", "GOPRIVATE=",
		"GOMODCACHE="+filepath.Join(r.scratch, "modules"),
		"GOPROXY=file://"+proxy+",file://"+filepath.Join(shared, "cache", "download")+","+others)
	sums, err := r.sums()
	if err != nil {
		return nil, err
	}
	for _, product := range products {
		module, _ := r.plan.Module(product.module)
		if err := c.require(ctx, sums, module); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// sums are those of all modules here, so that nobody is asked for one that is known.
func (r *release) sums() ([]byte, error) {
	var all []string
	for _, module := range r.plan.Modules {
		content, err := os.ReadFile(filepath.Join(r.source, module.Folder, "go.sum"))
		if err != nil && !errors.Is(err, os.ErrNotExist) { // a module that requires nothing has none
			return nil, err
		}
		all = slices.AppendSeq(all, strings.Lines(string(content)))
	}
	slices.Sort(all)
	return []byte(strings.Join(slices.Compact(all), "")), nil
}

const modulePrefix = "github.com/vitistack/kubevirt-multicluster/"

// proxy writes the modules of the commit into a folder that go takes as a module proxy.
func (r *release) proxy(ctx context.Context) (string, error) {
	clone, err := filepath.Abs(r.Clone)
	if err != nil {
		return "", err
	}
	folder := filepath.Join(r.scratch, "proxy")
	command := exec.CommandContext(ctx, "go", "run", "-trimpath", "-buildvcs=false", ".", clone, folder)
	command.Dir = filepath.Join(r.source, "testkit", "programs", "released")
	command.Env = append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0")
	if output, err := command.CombinedOutput(); err != nil {
		return "", fmt.Errorf("writing the modules by their versions: %w: %s", err, output)
	}
	return folder, nil
}

func goEnv(ctx context.Context, name string) (string, error) {
	output, err := exec.CommandContext(ctx, "go", "env", name).Output()
	return strings.TrimSpace(string(output)), err
}

// require makes a folder whose module requires one of ours alone, so that its programs are built
// from the versions that it asks for.
func (c *compiler) require(ctx context.Context, sums []byte, module plan.Module) error {
	folder := filepath.Join(c.folder, module.Folder)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	definition := fmt.Sprintf("module stranger.test\n\ngo 1.26.0\n\nrequire %s %s\n", module.Path, module.Version)
	if err := errors.Join(os.WriteFile(filepath.Join(folder, "go.mod"), []byte(definition), 0o644),
		os.WriteFile(filepath.Join(folder, "go.sum"), sums, 0o644)); err != nil {
		return err
	}
	return c.run(ctx, folder, nil, "get", module.Path+"/...@"+module.Version)
}

// compile builds a product for a platform, and returns the paths of its programs, sorted.
func (c *compiler) compile(ctx context.Context, of product, module plan.Module, platform Platform) ([]string, error) {
	output := filepath.Join(c.folder, "bin", platform.String(), of.name)
	if err := os.MkdirAll(output, 0o755); err != nil {
		return nil, err
	}
	packages := module.Path + strings.TrimPrefix(of.packages, ".")
	env := []string{"GOOS=" + platform.OS, "GOARCH=" + platform.Architecture}
	if err := c.run(ctx, filepath.Join(c.folder, module.Folder), env, "build", "-trimpath", "-ldflags", "-s -w",
		"-o", output+string(filepath.Separator), packages); err != nil {
		return nil, err
	}
	programs, err := filepath.Glob(filepath.Join(output, "*"))
	if err == nil && len(programs) == 0 {
		err = fmt.Errorf("%s has no programs", packages)
	}
	slices.Sort(programs)
	return programs, err
}

func (c *compiler) run(ctx context.Context, folder string, env []string, args ...string) error {
	command := exec.CommandContext(ctx, "go", args...)
	command.Dir, command.Env = folder, append(slices.Clone(c.env), env...)
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("go %s: %w: %s", strings.Join(args, " "), err, output)
	}
	return nil
}

package plan

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/semver"
)

// Plan says what a release of a commit consists of.
type Plan struct {
	Commit Commit
	// Modules are all that versions.yaml names, in the order in which tags are made.
	Modules []Module
}

// Released are the modules that get a tag, in the order in which tags are made.
func (p *Plan) Released() []Module {
	var released []Module
	for _, module := range p.Modules {
		if module.Version != module.Last {
			released = append(released, module)
		}
	}
	return released
}

// Module returns a module by its folder.
func (p *Plan) Module(folder string) (Module, bool) {
	i := slices.IndexFunc(p.Modules, func(m Module) bool { return m.Folder == folder })
	if i < 0 {
		return Module{}, false
	}
	return p.Modules[i], true
}

// Make plans the release of the commit that is checked out in a clone with its tags. It compiles the
// packages of modules that have been released before, and writes nothing but temporary files.
func Make(ctx context.Context, clone string) (*Plan, error) {
	repository := Repository(clone)
	if err := repository.wantClean(ctx); err != nil {
		return nil, err
	}
	head, err := repository.Head(ctx)
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "plan-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	present := filepath.Join(scratch, "present")
	if err := repository.Extract(ctx, head.Hash, present, head.Time); err != nil {
		return nil, err
	}
	planned := &Plan{Commit: head}
	if planned.Modules, err = readModules(present); err != nil {
		return nil, err
	}
	if err := refuse(planned.Modules, whyNoVersion); err != nil {
		return nil, err
	}
	if err := planned.compare(ctx, repository); err != nil {
		return nil, err
	}
	if err := planned.compareAPIs(ctx, repository, scratch); err != nil {
		return nil, err
	}
	if err := refuse(planned.Modules, whyNoStep); err != nil {
		return nil, err
	}
	return planned, planned.wantFreeTags(ctx, repository)
}

// refuse makes an error of what a rule says about modules, a line for each.
func refuse(modules []Module, why func(Module) string) error {
	var errs []error
	for _, module := range modules {
		if text := why(module); text != "" {
			errs = append(errs, errors.New(text))
		}
	}
	return errors.Join(errs...)
}

// compare fills in what changed since each module's last tag, by itself and through what it
// requires.
func (p *Plan) compare(ctx context.Context, repository Repository) error {
	for i := range p.Modules {
		module := &p.Modules[i]
		var err error
		if module.Last, err = lastVersion(ctx, repository, module.Folder, p.Commit.Hash); err != nil {
			return err
		}
		if module.Last == "" {
			continue
		}
		if module.Files, err = p.changedFiles(ctx, repository, *module); err != nil {
			return err
		}
		for _, required := range module.Requires { // these come before the module
			if other, _ := p.Module(required); other.Changed() {
				module.Because = append(module.Because, required)
			}
		}
	}
	return nil
}

// lastVersion is the highest version that a module was tagged with before a commit, or "". A tag of
// the commit itself is that of the release that is planned.
func lastVersion(ctx context.Context, repository Repository, folder, commit string) (string, error) {
	tags, err := repository.Lines(ctx, "tag", "--list", folder+"/v*", "--merged", commit, "--no-contains", commit)
	if err != nil {
		return "", err
	}
	var versions []string
	for _, tag := range tags {
		if version := strings.TrimPrefix(tag, folder+"/"); version == semver.Canonical(version) {
			versions = append(versions, version)
		}
	}
	if len(versions) == 0 {
		return "", nil
	}
	return slices.MaxFunc(versions, semver.Compare), nil
}

// changedFiles are those below a module's folder that changed since its last tag, but for those of
// modules in it, sorted.
func (p *Plan) changedFiles(ctx context.Context, repository Repository, module Module) ([]string, error) {
	since := module.Folder + "/" + module.Last
	changed, err := repository.Lines(ctx, "diff", "--name-only", "--no-renames", since, p.Commit.Hash, "--",
		module.Folder+"/")
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(changed, func(path string) bool {
		return slices.ContainsFunc(p.Modules, func(other Module) bool {
			return strings.HasPrefix(other.Folder, module.Folder+"/") && strings.HasPrefix(path, other.Folder+"/")
		})
	}), nil
}

// wantFreeTags returns an error where a tag that is to be made stands on another commit.
func (p *Plan) wantFreeTags(ctx context.Context, repository Repository) error {
	var errs []error
	for _, module := range p.Released() {
		there, err := repository.Lines(ctx, "tag", "--list", module.Tag())
		if err != nil {
			return err
		}
		if len(there) == 0 {
			continue
		}
		commit, err := repository.Git(ctx, "rev-parse", "refs/tags/"+module.Tag()+"^{commit}")
		if err != nil {
			return err
		}
		if commit != p.Commit.Hash {
			errs = append(errs, fmt.Errorf("%s: the tag %s is there already, on commit %.12s, which is not the one to release",
				module.Folder, module.Tag(), commit))
		}
	}
	return errors.Join(errs...)
}

package plan

import (
	"context"
	"errors"
	"fmt"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/exp/apidiff"
	"golang.org/x/tools/go/packages"
)

// compareAPIs fills in what changed in the exported API of each module since its last tag. The
// former files go into folders below scratch, one for each tag.
func (p *Plan) compareAPIs(ctx context.Context, repository Repository, scratch string) error {
	for i := range p.Modules {
		module := &p.Modules[i]
		if module.Last == "" || !module.Changed() {
			continue
		}
		tag := module.Folder + "/" + module.Last
		former := filepath.Join(scratch, strings.ReplaceAll(tag, "/", "-"))
		if err := repository.Extract(ctx, tag, former, p.Commit.Time); err != nil {
			return err
		}
		before, err := exported(ctx, filepath.Join(former, module.Folder))
		if err != nil {
			return fmt.Errorf("%s: %w", tag, err)
		}
		after, err := exported(ctx, filepath.Join(scratch, "present", module.Folder))
		if err != nil {
			return fmt.Errorf("%s: %w", module.Folder, err)
		}
		report := apidiff.ModuleChanges(
			&apidiff.Module{Path: module.Path, Packages: before}, &apidiff.Module{Path: module.Path, Packages: after})
		for _, change := range report.Changes {
			if change.Compatible {
				module.API.Adds = append(module.API.Adds, change.Message)
			} else {
				module.API.Breaks = append(module.API.Breaks, change.Message)
			}
		}
		slices.Sort(module.API.Adds)
		slices.Sort(module.API.Breaks)
	}
	return nil
}

// exported are the packages of the module in a folder that others can import. The module is taken
// without the workspace, with the replace lines to its siblings beside it.
func exported(ctx context.Context, folder string) ([]*types.Package, error) {
	loaded, err := packages.Load(&packages.Config{
		Context: ctx, Dir: folder, Mode: packages.NeedName | packages.NeedTypes | packages.NeedImports,
		// The flags of the Makefile, so that what is in the build cache is used.
		BuildFlags: []string{"-trimpath", "-buildvcs=false"},
		Env:        append(os.Environ(), "GOWORK=off", "CGO_ENABLED=0"),
	}, "./...")
	if err != nil {
		return nil, err
	}
	var found []*types.Package
	var errs []error
	for _, one := range loaded {
		for _, problem := range one.Errors {
			errs = append(errs, problem)
		}
		if one.Name != "main" && !slices.Contains(strings.Split(one.PkgPath, "/"), "internal") {
			found = append(found, one.Types)
		}
	}
	return found, errors.Join(errs...)
}

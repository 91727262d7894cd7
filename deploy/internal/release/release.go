package release

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/vitistack/kubevirt-multicluster/deploy/internal/plan"
)

// Options say what is released, and where the result goes.
type Options struct {
	// Clone is the path of a clone with its history and tags. The commit that is checked out is
	// released.
	Clone string
	// Folder gets the files. It must be empty or absent.
	Folder string
	// Platforms are those that programs are built for. Default: DefaultPlatforms.
	Platforms []Platform
}

// DefaultPlatforms are those of a release.
var DefaultPlatforms = []Platform{{"darwin", "amd64"}, {"darwin", "arm64"}, {"linux", "amd64"}, {"linux", "arm64"}}

// A release is one that is being written.
type release struct {
	Options

	plan     *plan.Plan
	source   string // a folder with the files of the commit
	scratch  string // a folder for what is needed meanwhile
	operator plan.Module
}

// Write plans a release and writes it. It takes some minutes. A commit that cannot be released is an
// error with what to do, before anything is written.
func Write(ctx context.Context, options Options) (*plan.Plan, error) {
	if len(options.Platforms) == 0 {
		options.Platforms = DefaultPlatforms
	}
	planned, err := plan.Make(ctx, options.Clone)
	if err != nil {
		return nil, err
	}
	scratch, err := os.MkdirTemp("", "release-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	r := &release{Options: options, plan: planned, source: filepath.Join(scratch, "source"), scratch: scratch}
	if r.Folder, err = filepath.Abs(options.Folder); err != nil {
		return nil, err
	}
	return planned, r.write(ctx)
}

func (r *release) write(ctx context.Context) error {
	head := r.plan.Commit
	if err := plan.Repository(r.Clone).Extract(ctx, head.Hash, r.source, head.Time); err != nil {
		return err
	}
	if err := r.check(); err != nil {
		return err
	}
	notes, err := r.notes(ctx)
	if err != nil {
		return err
	}
	if err := r.openFolder(); err != nil {
		return err
	}
	if r.publishesOperator() {
		for _, step := range []func(context.Context) error{r.writeManifests, r.writePrograms, r.writeKrew} {
			if err := step(ctx); err != nil {
				return err
			}
		}
	}
	var tags strings.Builder
	for _, module := range r.plan.Released() {
		fmt.Fprintln(&tags, module.Tag())
	}
	return errors.Join(r.file("tags", []byte(tags.String())), r.file("notes.md", notes), r.writeSums())
}

// check refuses what would be released half.
func (r *release) check() error {
	released := r.plan.Released()
	if len(released) == 0 {
		return errors.New("there is nothing to release: no module changed since its last tag")
	}
	var known bool
	if r.operator, known = r.plan.Module("operator"); !known {
		return errors.New("versions.yaml names no module operator")
	}
	if r.publishesOperator() {
		return nil
	}
	for _, module := range released {
		if module.Folder == "placement-plugins" {
			return fmt.Errorf("placement-plugins: %s, and the operator's image and archives carry its programs: "+
				"raise the operator's version %s, too", module.Why(), r.operator.Version)
		}
	}
	return nil
}

// publishesOperator says whether the release has programs and manifests. Without a new version of
// the operator there are tags and notes alone: what was published under a version stays.
func (r *release) publishesOperator() bool { return r.operator.Version != r.operator.Last }

func (r *release) openFolder() error {
	if err := os.MkdirAll(r.Folder, 0o755); err != nil {
		return err
	}
	entries, err := os.ReadDir(r.Folder)
	if err == nil && len(entries) > 0 {
		return fmt.Errorf("the folder %s is not empty, and what is in it would be published: remove %s",
			r.Folder, entries[0].Name())
	}
	return err
}

// file writes a file of the release.
func (r *release) file(name string, content []byte) error {
	return os.WriteFile(filepath.Join(r.Folder, name), content, 0o644)
}

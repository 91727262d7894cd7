package upgrade

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
)

// former is the commit of the version before this one. A release moves it to the commit that the
// last tag of the operator names.
const former = "966d5eac0c2c2b2e4d689db8855d0ba5126a5be0"

// root is the repository's.
const root = "../../.."

// version is an operator as it is installed.
type version struct {
	operator string // the program
	plugins  string // the folder of its placement plugins
	api      string // a folder with crds, rbac/supervisor and rbac/remote
}

// formerVersion is built once a commit and kept where the other programs for tests are.
func formerVersion(ctx context.Context) (version, error) {
	cache, err := controlplane.CacheDir()
	if err != nil {
		return version{}, err
	}
	folder := filepath.Join(cache, "operator-"+former)
	built := version{
		operator: filepath.Join(folder, "operator"),
		plugins:  filepath.Join(folder, "plugins"),
		api:      filepath.Join(folder, "api"),
	}
	if _, err := os.Stat(folder); err == nil || !errors.Is(err, os.ErrNotExist) {
		return built, err
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return version{}, err
	}
	partial, err := os.MkdirTemp(cache, "operator-partial-")
	if err != nil {
		return version{}, err
	}
	defer os.RemoveAll(partial)
	if err := buildFormer(ctx, partial); err != nil {
		return version{}, fmt.Errorf("building the former version: %w", err)
	}
	if err := os.Chmod(partial, 0o755); err != nil {
		return version{}, err
	}
	// Another test may have been faster, and its folder is the same.
	if err := os.Rename(partial, folder); err != nil && !errors.Is(err, os.ErrExist) {
		return version{}, err
	}
	return built, nil
}

// buildFormer fills a folder with the programs and manifests of the former commit.
func buildFormer(ctx context.Context, folder string) error {
	source, err := os.MkdirTemp("", "former-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(source)
	if err := checkOut(ctx, source); err != nil {
		return err
	}
	if err := build(ctx, source, folder, "./operator"); err != nil {
		return err
	}
	plugins := filepath.Join(folder, "plugins")
	if err := os.Mkdir(plugins, 0o755); err != nil {
		return err
	}
	if err := build(ctx, source, plugins, "./placement-plugins/cmd/..."); err != nil {
		return err
	}
	if err := writeSums(plugins); err != nil {
		return err
	}
	return os.CopyFS(filepath.Join(folder, "api"), os.DirFS(filepath.Join(source, "api")))
}

// reach finds the former commit. A shallow clone gets its history first.
func reach(ctx context.Context) error {
	_, err := git(ctx, "cat-file", "-e", former+"^{commit}")
	if err == nil {
		return nil
	}
	if _, fetched := git(ctx, "fetch", "--quiet", "--unshallow"); fetched != nil {
		return errors.Join(err, fetched)
	}
	_, err = git(ctx, "cat-file", "-e", former+"^{commit}")
	return err
}

// checkOut writes the files of the former commit into a folder.
func checkOut(ctx context.Context, folder string) error {
	if err := reach(ctx); err != nil {
		return fmt.Errorf("the history here does not reach commit %s, which was the version before this one; "+
			"a shallow clone gets it by `git fetch --unshallow`, or `git fetch origin %s`: %w", former, former, err)
	}
	if _, err := git(ctx, "merge-base", "--is-ancestor", former, "HEAD"); err != nil {
		return fmt.Errorf("commit %s is no ancestor of HEAD: %w", former, err)
	}
	archive, err := git(ctx, "archive", "--format=tar", former)
	if err != nil {
		return err
	}
	return unpack(archive, folder)
}

func git(ctx context.Context, args ...string) ([]byte, error) {
	top, err := filepath.Abs(root)
	if err != nil {
		return nil, err
	}
	// Who owns the clone does not matter: it is only read.
	command := exec.CommandContext(ctx, "git", append([]string{"-c", "safe.directory=" + top, "-C", top}, args...)...)
	var problems bytes.Buffer
	command.Stderr = &problems
	output, err := command.Output()
	if err != nil {
		return nil, fmt.Errorf("git %s: %w: %s", args[0], err, problems.String())
	}
	return output, nil
}

// unpack writes the folders and regular files of an archive.
func unpack(archive []byte, folder string) error {
	files := tar.NewReader(bytes.NewReader(archive))
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		path := filepath.Join(folder, filepath.Clean("/"+header.Name))
		switch header.Typeflag {
		case tar.TypeDir:
			err = os.MkdirAll(path, 0o755)
		case tar.TypeReg:
			err = write(path, files)
		}
		if err != nil {
			return err
		}
	}
}

func write(path string, content io.Reader) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Close())
}

// build compiles programs of a copy of the repository into a folder.
func build(ctx context.Context, repository, folder, packages string) error {
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o",
		folder+string(filepath.Separator), packages)
	command.Dir, command.Env = repository, append(os.Environ(), "CGO_ENABLED=0", "GOWORK=")
	if output, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("building %s: %w: %s", packages, err, output)
	}
	return nil
}

// writeSums writes the digests without which the operator runs no plugin.
func writeSums(plugins string) error {
	paths, err := filepath.Glob(filepath.Join(plugins, "placement-*"))
	if err != nil || len(paths) == 0 {
		return fmt.Errorf("%d plugins in %s: %w", len(paths), plugins, err)
	}
	slices.Sort(paths)
	var sums strings.Builder
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		// Whatever the umask: a plugin that others can write is refused.
		if err := os.Chmod(path, 0o755); err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(content), filepath.Base(path))
	}
	return os.WriteFile(filepath.Join(plugins, "SHA256SUMS"), []byte(sums.String()), 0o644)
}

// presentVersion is the commit that is tested.
func presentVersion(ctx context.Context, folder string) (version, error) {
	plugins, err := filepath.Abs(filepath.Join(root, "bin", "plugins"))
	if err != nil {
		return version{}, err
	}
	if _, err := os.Stat(filepath.Join(plugins, "SHA256SUMS")); err != nil {
		return version{}, fmt.Errorf("the placement plugins are missing, run `make tools`: %w", err)
	}
	if err := build(ctx, root, folder, "./operator"); err != nil {
		return version{}, err
	}
	return version{
		operator: filepath.Join(folder, "operator"), plugins: plugins, api: filepath.Join(root, "api"),
	}, nil
}

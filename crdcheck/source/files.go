package source

import (
	"archive/tar"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/hashicorp/go-multierror"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// manifest reports whether a file of a folder is read.
func manifest(name string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, filepath.Ext(name))
}

func readPath(place string) (Set, error) {
	info, err := os.Stat(place)
	if err != nil {
		return Set{}, err
	}
	s := Set{Name: place, At: map[string]Position{}}
	if !info.IsDir() {
		err := s.readFile(place)
		return s, err
	}
	var failed *multierror.Error
	files := 0
	err = filepath.WalkDir(place, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !manifest(path) {
			return err
		}
		files++
		failed = multierror.Append(failed, errorsOf(s.readFile(path))...)
		return nil
	})
	if err == nil && files == 0 {
		err = fmt.Errorf("%s: no .yaml, .yml or .json below it", place)
	}
	return s.sorted(), multierror.Append(failed, errorsOf(err)...).ErrorOrNil()
}

func (s *Set) readFile(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(s.add(path, file), file.Close())
}

func (s Set) sorted() Set {
	slices.SortFunc(s.CRDs, func(a, b apiextensionsv1.CustomResourceDefinition) int { return cmp.Compare(a.Name, b.Name) })
	return s
}

// readGit reads a file or folder of a commit, with the git program.
func readGit(ctx context.Context, place, rest string) (Set, error) {
	ref, path, found := strings.Cut(rest, ":")
	if !found || ref == "" || path == "" || strings.HasPrefix(ref, "-") || strings.HasPrefix(path, "-") {
		return Set{}, fmt.Errorf("%s: want git:REF:PATH", place)
	}
	command := exec.CommandContext(ctx, "git", "archive", "--format=tar", ref, "--", path) // neither is an option
	var output, complaint bytes.Buffer
	command.Stdout, command.Stderr = &output, &complaint
	if err := command.Run(); err != nil {
		return Set{}, fmt.Errorf("%s: git: %w: %s", place, err, strings.TrimSpace(complaint.String()))
	}
	s := Set{Name: place, At: map[string]Position{}}
	var failed *multierror.Error
	files := 0
	for archive := tar.NewReader(&output); ; {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return Set{}, fmt.Errorf("%s: %w", place, err)
		}
		if header.Typeflag != tar.TypeReg || !manifest(header.Name) && filepath.Clean(header.Name) != filepath.Clean(path) {
			continue
		}
		files++
		failed = multierror.Append(failed, errorsOf(s.add(header.Name, archive))...)
	}
	if files == 0 {
		failed = multierror.Append(failed, fmt.Errorf("%s: no .yaml, .yml or .json below it", place))
	}
	return s.sorted(), failed.ErrorOrNil()
}

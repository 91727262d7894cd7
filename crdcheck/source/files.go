package source

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// readPath reads a file or folder of the file system.
func readPath(place string) (Set, error) {
	return readTree(disk{}, files(place), place)
}

// disk is the tree of the file system.
type disk struct{}

func (disk) look(path string) (node, error) {
	info, err := os.Stat(path)
	if err != nil {
		_, missing := os.Lstat(path)
		switch {
		case errors.Is(err, syscall.ELOOP):
			err = fmt.Errorf("%s: %w", path, errCircle)
		case errors.Is(err, fs.ErrNotExist) && missing == nil:
			err = fmt.Errorf("%s: %w", path, errNowhere)
		}
		return node{}, err
	}
	n := node{path: path}
	if info.IsDir() {
		n.kind = folder
	}
	if n.id, err = filepath.EvalSymlinks(path); err != nil {
		n.id = path // a pipe: /dev/fd/63
	}
	return n, nil
}

func (disk) inside(f node) ([]node, error) {
	entries, err := os.ReadDir(f.path)
	var all []node
	for _, entry := range entries {
		n := node{path: filepath.Join(f.path, entry.Name()), id: filepath.Join(f.id, entry.Name())}
		switch {
		case entry.IsDir():
			n.kind = folder
		case entry.Type()&fs.ModeSymlink != 0:
			n.kind = link
		}
		all = append(all, n)
	}
	return all, err
}

func (disk) open(f node) (io.ReadCloser, error) { return os.Open(f.path) }

func (s Set) sorted() Set {
	slices.SortFunc(s.CRDs, func(a, b apiextensionsv1.CustomResourceDefinition) int { return cmp.Compare(a.Name, b.Name) })
	return s
}

package source

import (
	"errors"
	"fmt"
	"io"
	"path"
	"slices"

	"github.com/hashicorp/go-multierror"
)

// tree is where files and folders are: the file system or a commit.
type tree interface {
	// look returns what is at a path, links followed.
	look(path string) (node, error)
	// inside returns what is in a folder, sorted by name, links not followed.
	inside(folder node) ([]node, error)
	// open opens a file.
	open(file node) (io.ReadCloser, error)
}

// node is a file, a folder or a link in a tree.
type node struct {
	path string
	kind kind
	// id is the same for a file or folder by whatever path it is reached.
	id string
}

type kind int

const (
	file kind = iota
	folder
	link
	submodule
)

// What may be wrong with a link.
var (
	errNowhere = errors.New("a link to what is not there")
	errCircle  = errors.New("a link that leads back to itself")
)

// manifest reports whether a file of a folder is read.
func manifest(name string) bool {
	return slices.Contains([]string{".yaml", ".yml", ".json"}, path.Ext(name))
}

// walk reads what a tree has at a path into a set. A file that a link reaches a second time is read
// once.
type walk struct {
	tree   tree
	set    *Set
	within []string        // the folders that are being read, by id
	seen   map[string]bool // the files that were read, by id; true for one that a link led to
	failed *multierror.Error
}

// readTree returns the set of a path in a tree.
func readTree(t tree, s Set, at string) (Set, error) {
	top, err := t.look(at)
	if err != nil {
		return Set{}, err
	}
	w := walk{tree: t, set: &s, seen: map[string]bool{}}
	if top.kind == file {
		w.read(top, false)
	} else {
		w.visit(top, false)
	}
	if w.failed == nil && len(w.seen) == 0 {
		return Set{}, fmt.Errorf("%s: no .yaml, .yml or .json below it", at)
	}
	return s.sorted(), w.failed.ErrorOrNil()
}

// visit reads a file, or all below a folder. linked tells that a link led here.
func (w *walk) visit(n node, linked bool) {
	switch {
	case n.kind == link:
		target, err := w.tree.look(n.path)
		if errors.Is(err, errNowhere) && !manifest(n.path) {
			return // neither a folder nor a file that would be read
		}
		if err != nil {
			w.fail(err)
			return
		}
		w.visit(target, true)
	case n.kind == submodule:
		w.fail(fmt.Errorf("%s: is a submodule: the commit does not hold its files", n.path))
	case n.kind == folder && slices.Contains(w.within, n.id):
		w.fail(fmt.Errorf("%s: a link to a folder that it is in", n.path))
	case n.kind == folder:
		w.enter(n, linked)
	case manifest(n.path):
		w.read(n, linked)
	}
}

func (w *walk) enter(n node, linked bool) {
	all, err := w.tree.inside(n)
	w.fail(err)
	w.within = append(w.within, n.id)
	for _, child := range all {
		w.visit(child, linked)
	}
	w.within = w.within[:len(w.within)-1]
}

func (w *walk) read(n node, linked bool) {
	if before, seen := w.seen[n.id]; seen && (before || linked) {
		return
	}
	w.seen[n.id] = linked
	stream, err := w.tree.open(n)
	if err != nil {
		w.fail(err)
		return
	}
	w.fail(w.set.add(n.path, stream))
	w.fail(stream.Close())
}

func (w *walk) fail(err error) {
	if err != nil {
		w.failed = multierror.Append(w.failed, err)
	}
}

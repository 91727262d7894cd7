package source

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// commit is the tree of a commit.
type commit struct {
	batch *batch
	root  string
}

func (c commit) look(at string) (node, error) {
	found, err := c.follow(at)
	if err != nil {
		return node{}, fmt.Errorf("%s: %w", at, err)
	}
	return node{path: at, kind: found.kind, id: found.id}, nil
}

// mostLinks is how many links a path may lead through, as in Linux.
const mostLinks = 40

// follow goes along a path from the top of the commit, as the file system does: a link is replaced
// by the path that it holds, from the folder that it is in.
func (c commit) follow(at string) (node, error) {
	var (
		way    = []node{{kind: folder, id: c.root}} // from the top to here
		steps  = strings.Split(at, "/")
		target string // of the last link
		links  = 0
	)
	for len(steps) > 0 {
		step, here := steps[0], way[len(way)-1]
		steps = steps[1:]
		switch {
		case step == "" || step == ".":
		case step == ".." && len(way) == 1:
			return node{}, fmt.Errorf("a link that leaves the commit, to %s", target)
		case step == "..":
			way = way[:len(way)-1]
		default:
			next, err := c.child(here, step)
			if errors.Is(err, errMissing) && links > 0 {
				err = errNowhere
			}
			if err != nil {
				return node{}, err
			}
			if next.kind != link {
				way = append(way, next)
				continue
			}
			if target, err = c.target(next); err != nil {
				return node{}, err
			}
			if links++; links > mostLinks {
				return node{}, errCircle
			}
			steps = append(strings.Split(target, "/"), steps...)
		}
	}
	return way[len(way)-1], nil
}

// child returns what has a name in a folder.
func (c commit) child(f node, name string) (node, error) {
	if f.kind != folder {
		return node{}, errMissing
	}
	all, err := c.inside(f)
	if err != nil {
		return node{}, err
	}
	for _, n := range all {
		if path.Base(n.path) == name {
			return n, nil
		}
	}
	return node{}, errMissing
}

// target returns the path that a link holds.
func (c commit) target(l node) (string, error) {
	found, err := c.batch.ask(l.id)
	target := string(found.content)
	if path.IsAbs(target) {
		return "", fmt.Errorf("a link that leaves the commit, to %s", target)
	}
	return target, err
}

func (c commit) inside(f node) ([]node, error) {
	found, err := c.batch.ask(f.id)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.path, err)
	}
	var (
		all  []node
		size = len(c.root) / 2 // of an id, as bytes
	)
	for rest := found.content; len(rest) > 0; { // "MODE NAME\0ID" again and again
		header, after, _ := bytes.Cut(rest, []byte{0})
		mode, name, _ := strings.Cut(string(header), " ")
		if len(after) < size {
			return nil, fmt.Errorf("%s: git: the tree ends in the middle", f.path)
		}
		all = append(all, node{path: path.Join(f.path, name), kind: kindOf(mode), id: fmt.Sprintf("%x", after[:size])})
		rest = after[size:]
	}
	return all, nil
}

// kindOf returns what git's mode says of an entry of a tree.
func kindOf(mode string) kind {
	switch mode {
	case "40000":
		return folder
	case "120000":
		return link
	case "160000":
		return submodule
	default:
		return file
	}
}

func (c commit) open(f node) (io.ReadCloser, error) {
	found, err := c.batch.ask(f.id)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.path, err)
	}
	return io.NopCloser(bytes.NewReader(found.content)), nil
}

package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path"
	"strings"

	"github.com/hashicorp/go-multierror"
)

// readGit reads a file or folder of a commit, with the git program.
func readGit(ctx context.Context, place, rest string) (Set, error) {
	ref, at, found := strings.Cut(rest, ":")
	if !found || ref == "" || strings.HasPrefix(ref, "-") || strings.ContainsAny(rest, "\n\x00") {
		return Set{}, fmt.Errorf("%s: want git:REF:PATH", place)
	}
	s, err := readCommit(ctx, files(place), ref, at)
	return s, multierror.Prefix(err, "git:"+ref+":")
}

func readCommit(ctx context.Context, s Set, ref, at string) (Set, error) {
	prefix, err := prefix(ctx)
	if err != nil {
		return Set{}, err
	}
	at = inRepository(prefix, at)
	if at == ".." || strings.HasPrefix(at, "../") {
		return Set{}, fmt.Errorf("%s: is not in the repository", at)
	}
	b, err := startBatch(ctx)
	if err != nil {
		return Set{}, err
	}
	defer b.close()
	root, err := b.ask(ref + "^{tree}")
	if errors.Is(err, errMissing) {
		err = fmt.Errorf("git: no commit %q in this repository: is it fetched?", ref)
	}
	if err != nil {
		return Set{}, err
	}
	c := commit{batch: b, root: root.id}
	if _, err := c.look(at); errors.Is(err, errMissing) {
		if _, missing := c.look(path.Join(prefix, at)); missing == nil {
			err = fmt.Errorf("%w; ./%s is, in this folder", err, at)
		}
		return Set{}, err
	}
	return readTree(c, s, at)
}

// prefix returns the path of the working folder in its repository, "" at the top.
func prefix(ctx context.Context) (string, error) {
	var complaint bytes.Buffer
	command := exec.CommandContext(ctx, "git", "rev-parse", "--show-prefix")
	command.Stderr = &complaint
	output, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("git: %w: %s", err, strings.TrimSpace(complaint.String()))
	}
	return strings.TrimSuffix(string(output), "\n"), nil
}

// inRepository returns a path from the top of the repository. As git has it, only one that begins
// with a dot is relative to the working folder.
func inRepository(prefix, at string) string {
	if at == "." || at == ".." || strings.HasPrefix(at, "./") || strings.HasPrefix(at, "../") {
		return path.Join(prefix, at)
	}
	return path.Clean(at)
}

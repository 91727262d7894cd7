package plan

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Repository is a clone, by the path of its root. Nothing is written into it.
type Repository string

// Git returns what a git command prints.
func (r Repository) Git(ctx context.Context, args ...string) (string, error) {
	command := exec.CommandContext(ctx, "git", append([]string{"-C", string(r)}, args...)...)
	var problems bytes.Buffer
	command.Stderr = &problems
	output, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(problems.String()))
	}
	return strings.TrimRight(string(output), "\n"), nil
}

// Lines are those that a git command prints.
func (r Repository) Lines(ctx context.Context, args ...string) ([]string, error) {
	text, err := r.Git(ctx, args...)
	if err != nil || text == "" {
		return nil, err
	}
	return strings.Split(text, "\n"), nil
}

// Commit is one, with the time at which it was made.
type Commit struct {
	Hash string
	Time time.Time
}

// Head is the commit that is checked out.
func (r Repository) Head(ctx context.Context) (Commit, error) {
	text, err := r.Git(ctx, "log", "-1", "--format=%H %ct")
	if err != nil {
		return Commit{}, err
	}
	hash, number, _ := strings.Cut(text, " ")
	seconds, err := strconv.ParseInt(number, 10, 64)
	if err != nil {
		return Commit{}, fmt.Errorf("the time of commit %s: %w", hash, err)
	}
	return Commit{Hash: hash, Time: time.Unix(seconds, 0).UTC()}, nil
}

// wantClean returns an error where the working tree differs from the commit: people would take what
// they see there for what is released.
func (r Repository) wantClean(ctx context.Context) error {
	changed, err := r.Lines(ctx, "status", "--porcelain")
	if err != nil {
		return err
	}
	if len(changed) > 0 {
		return fmt.Errorf("the working tree differs from the commit, and what is released is the commit: "+
			"commit or remove %s%s", strings.TrimSpace(changed[0][2:]), andOthers(len(changed)-1))
	}
	return nil
}

func andOthers(count int) string {
	if count == 0 {
		return ""
	}
	return fmt.Sprintf(" and %d others", count)
}

// Extract writes the files of a commit or tag into a folder. They get the time of the release, so
// that archives of them are the same on any day.
func (r Repository) Extract(ctx context.Context, revision, folder string, at time.Time) error {
	archive, err := exec.CommandContext(ctx, "git", "-C", string(r), "archive", "--format=tar", revision).Output()
	if err != nil {
		return fmt.Errorf("git archive %s: %w", revision, err)
	}
	files := tar.NewReader(bytes.NewReader(archive))
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := extract(files, header, folder, at); err != nil {
			return err
		}
	}
}

func extract(content io.Reader, header *tar.Header, folder string, at time.Time) error {
	path := filepath.Join(folder, filepath.Clean("/"+header.Name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	switch header.Typeflag {
	case tar.TypeDir:
		return os.MkdirAll(path, 0o755)
	case tar.TypeSymlink:
		return os.Symlink(header.Linkname, path)
	case tar.TypeReg:
		file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, os.FileMode(header.Mode).Perm())
		if err != nil {
			return err
		}
		_, err = io.Copy(file, content)
		return errors.Join(err, file.Close(), os.Chtimes(path, at, at))
	}
	return nil // the commit's name, in a comment
}

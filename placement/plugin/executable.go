package plugin

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// An executable is a plugin's file that was found right, and is open: what was checked is what
// runs, whatever is in its place by then.
type executable struct {
	path string // with all symbolic links followed
	file *os.File
}

// verify opens the executable of an entry. It fails if the file is not where it must be, if others
// could change it, or if it is not the pinned one.
func verify(options Options, entry Entry) (*executable, error) {
	if entry.SHA256 == "" && !options.AllowUnpinned {
		return nil, fmt.Errorf("no sha256 is given for executable %s", entry.Path)
	}
	path, err := resolve(options.Dir, entry.Path)
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0) // a pipe would block
	if err != nil {
		return nil, fmt.Errorf("executable: %w", err)
	}
	e := &executable{path: path, file: file}
	if err := e.check(entry); err != nil {
		e.close()
		return nil, err
	}
	return e, nil
}

func (e *executable) close() { _ = e.file.Close() }

// check fails unless the open file is a regular one that others cannot change, with the pinned
// content.
func (e *executable) check(entry Entry) error {
	info, err := e.file.Stat()
	if err != nil {
		return fmt.Errorf("executable: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("executable %s is not a regular file", entry.Path)
	}
	if err := trusted(e.path, info, os.Geteuid()); err != nil {
		return err
	}
	if err := trustedFolders(e.path); err != nil || entry.SHA256 == "" {
		return err
	}
	want, err := decodeDigest(entry.SHA256)
	if err != nil {
		return err
	}
	digest, err := digestOf(e.file)
	if err != nil {
		return err
	}
	if !bytes.Equal(digest, want) {
		return fmt.Errorf("executable %s is not the one with the pinned sha256", entry.Path)
	}
	return nil
}

// isScript reports whether the kernel starts another program with the file.
func (e *executable) isScript() bool {
	var begin [2]byte
	_, err := e.file.ReadAt(begin[:], 0)
	return err == nil && string(begin[:]) == "#!"
}

// resolve returns the path of an entry's executable with all symbolic links followed. It fails
// unless that is inside the directory.
func resolve(dir, path string) (string, error) {
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
		return "", fmt.Errorf("plugin directory: %w", err)
	}
	if root, err = filepath.Abs(root); err != nil {
		return "", fmt.Errorf("plugin directory: %w", err)
	}
	resolved, err := filepath.EvalSymlinks(filepath.Join(root, path))
	if err != nil {
		return "", fmt.Errorf("executable: %w", err)
	}
	relative, err := filepath.Rel(root, resolved)
	if err != nil || !filepath.IsLocal(relative) {
		return "", fmt.Errorf("executable %s is outside of the plugin directory", path)
	}
	return resolved, nil
}

// trustedFolders fails if others could put something else in the place of the file, or of a folder
// above it.
func trustedFolders(path string) error {
	for at := filepath.Dir(path); ; at = filepath.Dir(at) {
		info, err := os.Lstat(at)
		if err != nil {
			return err
		}
		if err := trusted(at, info, os.Geteuid()); err != nil {
			return err
		}
		if at == filepath.Dir(at) {
			return nil
		}
	}
}

const writableByOthers fs.FileMode = 0o022

// trusted fails unless only root and the user can change the file or folder. In a folder such as
// /tmp others can create files, but not replace those of root and of the user.
func trusted(path string, info fs.FileInfo, user int) error {
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("%s has no owner", path)
	}
	if owner := int(stat.Uid); owner != 0 && owner != user {
		return fmt.Errorf("%s belongs to user %d, who could replace it: it must belong to root or to user %d",
			path, owner, user)
	}
	sticky := info.IsDir() && info.Mode()&fs.ModeSticky != 0 && stat.Uid == 0
	if info.Mode()&writableByOthers != 0 && !sticky {
		return fmt.Errorf("%s is writable by group or others (%v)", path, info.Mode().Perm())
	}
	return nil
}

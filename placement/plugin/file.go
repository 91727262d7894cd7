package plugin

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Digest is the SHA-256 of a file in hexadecimal, as Entry.SHA256 wants it. It reads the file.
func Digest(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", fmt.Errorf("reading %s: %w", path, err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

func decodeDigest(text string) ([]byte, error) {
	digest, err := hex.DecodeString(text)
	if err != nil || len(digest) != sha256.Size {
		return nil, fmt.Errorf("sha256 %q is not %d hexadecimal digits", text, 2*sha256.Size)
	}
	return digest, nil
}

const writableByOthers fs.FileMode = 0o022

// resolve returns the executable of an entry with all symbolic links followed, and fails unless it
// is a regular file inside the directory and nobody but the owners can change it or put another in
// its place.
func resolve(dir, path string) (string, error) {
	root, err := filepath.EvalSymlinks(dir)
	if err != nil {
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
	info, err := os.Lstat(resolved)
	if err != nil {
		return "", fmt.Errorf("executable: %w", err)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("executable %s is not a regular file", path)
	}
	for at := resolved; ; at = filepath.Dir(at) {
		if err := onlyOwnerWrites(at); err != nil {
			return "", err
		}
		if at == root || !strings.HasPrefix(at, root) {
			return resolved, nil
		}
	}
}

func onlyOwnerWrites(path string) error {
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if info.Mode()&writableByOthers != 0 {
		return fmt.Errorf("%s is writable by group or others (%v)", path, info.Mode().Perm())
	}
	return nil
}

// A stamp tells whether a file may have changed without reading it. The zero stamp is no file.
type stamp struct {
	size     int64
	modified time.Time
	mode     fs.FileMode
}

func stampOf(path string) stamp {
	info, err := os.Stat(path)
	if err != nil {
		return stamp{}
	}
	return stamp{size: info.Size(), modified: info.ModTime(), mode: info.Mode()}
}

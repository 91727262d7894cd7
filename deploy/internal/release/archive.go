package release

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// An entry is a file in an archive.
type entry struct {
	content []byte
	program bool
}

// archive packs entries, by their names, as a compressed archive in which everything belongs to
// root and has one time. The same entries give the same bytes.
func archive(entries map[string]entry, modified time.Time) ([]byte, error) {
	var packed bytes.Buffer
	compressed := gzip.NewWriter(&packed)
	files := tar.NewWriter(compressed)
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		header := &tar.Header{
			Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(entries[name].content)),
			ModTime: modified, Format: tar.FormatUSTAR,
		}
		if entries[name].program {
			header.Mode = 0o755
		}
		if err := files.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("packing %s: %w", name, err)
		}
		if _, err := files.Write(entries[name].content); err != nil {
			return nil, fmt.Errorf("packing %s: %w", name, err)
		}
	}
	if err := files.Close(); err != nil {
		return nil, err
	}
	err := compressed.Close()
	return packed.Bytes(), err
}

// writeSums writes the digests of all files of the release, in the form that sha256sum checks.
func (r *release) writeSums() error {
	entries, err := os.ReadDir(r.Folder)
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, each := range entries {
		content, err := os.ReadFile(filepath.Join(r.Folder, each.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(content), each.Name())
	}
	return r.file("SHA256SUMS", []byte(sums.String()))
}

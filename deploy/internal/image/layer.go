package image

import (
	"archive/tar"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// User is the user and the group that the operator runs as.
const User = 65532

// An entry is a file of the image, or a folder where its path ends in a slash. All belong to root.
type entry struct {
	path    string
	mode    int64
	content []byte
}

// base are the files that every release has alike, so that they are a layer that is pulled once.
func base() []entry {
	return []entry{
		{path: "etc/", mode: 0o755},
		{path: "etc/group", mode: 0o444, content: fmt.Appendf(nil, "root:x:0:\nnonroot:x:%d:\n", User)},
		{path: "etc/passwd", mode: 0o444, content: fmt.Appendf(nil,
			"root:x:0:0:root:/:/sbin/nologin\nnonroot:x:%d:%d:nonroot:/:/sbin/nologin\n", User, User)},
		{path: "etc/ssl/", mode: 0o755},
		{path: "etc/ssl/certs/", mode: 0o755},
		{path: "etc/ssl/certs/ca-certificates.crt", mode: 0o444, content: certificates()},
		{path: "tmp/", mode: 0o1777},
	}
}

// certificates are the public authorities as PEM. An authority that is trusted for some
// certificates alone is left out, because a PEM file cannot say so.
func certificates() []byte {
	var all bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&all, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // a buffer takes all
		}
	}
	return all.Bytes()
}

// pluginFiles are the plugins beside their digests. They have a layer of their own, because they
// change less often than the operator.
func pluginFiles(plugins []string) ([]entry, error) {
	entries := []entry{{path: "plugins/", mode: 0o755}}
	var sums bytes.Buffer
	for _, file := range plugins {
		content, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(content), filepath.Base(file))
		entries = append(entries, entry{path: "plugins/" + filepath.Base(file), mode: 0o555, content: content})
	}
	return append(entries, entry{path: "plugins/SHA256SUMS", mode: 0o444, content: sums.Bytes()}), nil
}

func operatorFile(file string) ([]entry, error) {
	content, err := os.ReadFile(file)
	return []entry{{path: "operator", mode: 0o555, content: content}}, err
}

// layer packs entries, which all get the same time.
func layer(entries []entry, modified time.Time) (v1.Layer, error) {
	slices.SortFunc(entries, func(a, b entry) int { return cmp.Compare(a.path, b.path) })
	var archive bytes.Buffer
	writer := tar.NewWriter(&archive)
	for _, e := range entries {
		header := &tar.Header{
			Name: path.Clean(e.path), Typeflag: tar.TypeReg, Mode: e.mode, Size: int64(len(e.content)),
			ModTime: modified, Format: tar.FormatUSTAR,
		}
		if strings.HasSuffix(e.path, "/") {
			header.Name, header.Typeflag = header.Name+"/", tar.TypeDir
		}
		if err := writer.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("packing %s: %w", e.path, err)
		}
		if _, err := writer.Write(e.content); err != nil {
			return nil, fmt.Errorf("packing %s: %w", e.path, err)
		}
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(archive.Bytes())), nil
	}, tarball.WithMediaType(types.OCILayer), tarball.WithCompressedCaching)
}

package report

import (
	"archive/tar"
	"compress/gzip"
	"fmt"
	"io"
	"path"
	"slices"
	"time"
)

// maxFile bounds one file of a bundle, in bytes: a log that fills disks is no help.
const maxFile = 16 << 20

// bundle is the packed file. Its methods are for one goroutine.
type bundle struct {
	folder string
	at     time.Time
	zip    *gzip.Writer
	tar    *tar.Writer
	// missing are the things that could not be read, with the reason; cut are files that were too
	// long.
	missing []string
}

func newBundle(out io.Writer, folder string, at time.Time) *bundle {
	b := &bundle{folder: folder, at: at, zip: gzip.NewWriter(out)}
	b.tar = tar.NewWriter(b.zip)
	return b
}

// add packs a file.
func (b *bundle) add(name string, content []byte) error {
	if len(content) > maxFile {
		b.miss(name, fmt.Errorf("%d bytes were left out at its end", len(content)-maxFile))
		content = content[:maxFile]
	}
	header := &tar.Header{
		Name: path.Join(b.folder, name), Mode: 0o600, Size: int64(len(content)), ModTime: b.at, Typeflag: tar.TypeReg,
	}
	if err := b.tar.WriteHeader(header); err != nil {
		return err
	}
	_, err := b.tar.Write(content)
	return err
}

// miss notes what is not in the bundle. The reason is a server's, and goes through the same sieve
// as all else. One who asks for several things of a kind may miss it several times, and is told
// once.
func (b *bundle) miss(what string, err error) {
	if text := Text(fmt.Sprintf("%s: %v", what, err)); !slices.Contains(b.missing, text) {
		b.missing = append(b.missing, text)
	}
}

// close packs the list of what is missing, and ends the file.
func (b *bundle) close() error {
	var text string
	for _, each := range b.missing {
		text += each + "\n"
	}
	if err := b.add("missing.txt", []byte(text)); err != nil {
		return err
	}
	if err := b.tar.Close(); err != nil {
		return err
	}
	return b.zip.Close()
}

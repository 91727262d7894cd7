package pod

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// Unpack writes the file system of an image into a folder, with the owners and modes that it has in
// the image. It takes folders and regular files alone.
func Unpack(image v1.Image, folder string) error {
	content := mutate.Extract(image)
	defer content.Close()
	archive := tar.NewReader(content)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("unpacking: %w", err)
		}
		if err := unpackOne(archive, header, folder); err != nil {
			return fmt.Errorf("unpacking %s: %w", header.Name, err)
		}
	}
}

func unpackOne(content io.Reader, header *tar.Header, folder string) error {
	if !filepath.IsLocal(header.Name) {
		return errors.New("its path leaves the image")
	}
	path := filepath.Join(folder, header.Name)
	switch header.Typeflag {
	case tar.TypeDir:
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
	case tar.TypeReg:
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = io.Copy(file, content)
		if err := errors.Join(err, file.Close()); err != nil {
			return err
		}
	default:
		return fmt.Errorf("its type is %q", header.Typeflag)
	}
	if err := os.Chown(path, header.Uid, header.Gid); err != nil {
		return err
	}
	return os.Chmod(path, header.FileInfo().Mode()) // the umask has no say
}

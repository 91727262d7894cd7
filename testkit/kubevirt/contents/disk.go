package contents

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"os"
	"path/filepath"
)

// Disk is the content of one claim. It is read and written as a guest, or the storage, would do;
// nobody keeps that from being done while a guest runs.
type Disk struct{ path string }

// Path is the file. Another one takes its place when the claim is filled.
func (d Disk) Path() string { return d.path }

// Dir is the folder of the file, in which it is alone.
func (d Disk) Dir() string { return filepath.Dir(d.path) }

// Size returns the size in bytes.
func (d Disk) Size() (int64, error) {
	info, err := os.Stat(d.path)
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// ReadAt reads as io.ReaderAt says.
func (d Disk) ReadAt(p []byte, offset int64) (int, error) {
	file, err := os.Open(d.path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	return file.ReadAt(p, offset)
}

// WriteAt writes as io.WriterAt says. A write beyond the end makes the disk bigger.
func (d Disk) WriteAt(p []byte, offset int64) (int, error) {
	file, err := os.OpenFile(d.path, os.O_WRONLY, 0)
	if err != nil {
		return 0, err
	}
	n, err := file.WriteAt(p, offset)
	if closed := file.Close(); err == nil {
		err = closed
	}
	return n, err
}

// SHA256 returns the hash of all bytes, in hexadecimal.
func (d Disk) SHA256() (string, error) {
	file, err := os.Open(d.path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// CopyTo writes all bytes.
func (d Disk) CopyTo(to io.Writer) error {
	file, err := os.Open(d.path)
	if err != nil {
		return err
	}
	defer file.Close()
	_, err = io.Copy(to, file)
	return err
}

package plugin

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"
)

// Digest is the SHA-256 of a file in hexadecimal, as Entry.SHA256 wants it. It reads the file.
func Digest(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	digest, err := digestOf(file)
	return hex.EncodeToString(digest), err
}

// digestOf reads an open file.
func digestOf(file *os.File) ([]byte, error) {
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return nil, fmt.Errorf("reading %s: %w", file.Name(), err)
	}
	return hash.Sum(nil), nil
}

func decodeDigest(text string) ([]byte, error) {
	digest, err := hex.DecodeString(text)
	if err != nil || len(digest) != sha256.Size {
		return nil, fmt.Errorf("sha256 %q is not %d hexadecimal digits", text, 2*sha256.Size)
	}
	return digest, nil
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

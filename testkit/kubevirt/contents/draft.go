package contents

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/types"
)

// Draft is a disk that is being written. It is nobody's until Keep, and gone after Drop.
type Draft struct {
	*os.File
	disk Disk
}

// Draft begins a new disk for a claim.
func (s *Store) Draft(claim types.UID) (*Draft, error) {
	disk := s.disk(claim)
	if err := os.MkdirAll(filepath.Dir(disk.path), 0o700); err != nil {
		return nil, err
	}
	file, err := os.CreateTemp(s.dir, "draft-")
	return &Draft{File: file, disk: disk}, err
}

// Keep makes the draft the claim's disk, in place of what it had.
func (d *Draft) Keep() (Disk, error) {
	if err := d.Close(); err != nil {
		return Disk{}, err
	}
	return d.disk, os.Rename(d.Name(), d.disk.path)
}

// keepUnlessThere makes the draft the claim's disk unless somebody was faster.
func (d *Draft) keepUnlessThere() (Disk, error) {
	if err := d.Close(); err != nil {
		return Disk{}, err
	}
	if err := os.Link(d.Name(), d.disk.path); err != nil && !errors.Is(err, fs.ErrExist) {
		return Disk{}, err
	}
	return d.disk, nil
}

// Drop removes a draft that was not kept.
func (d *Draft) Drop() {
	_ = d.Close()
	_ = os.Remove(d.Name())
}

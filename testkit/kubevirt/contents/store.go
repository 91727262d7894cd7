package contents

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/types"
)

// Store is a folder of disks. Its methods are safe for concurrent use.
type Store struct{ dir string }

// Open makes the folder if it is not there. What it holds stays.
func Open(dir string) (*Store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder of disks: %w", err)
	}
	return &Store{dir: dir}, nil
}

// Make returns the disk of a claim, made by a recipe if it is not there.
func (s *Store) Make(claim types.UID, recipe Recipe) (Disk, error) {
	disk := s.disk(claim)
	if _, err := os.Stat(disk.path); !errors.Is(err, fs.ErrNotExist) {
		return disk, err
	}
	draft, err := s.Draft(claim)
	if err != nil {
		return Disk{}, err
	}
	defer draft.Drop()
	if _, err := io.Copy(draft, recipe.reader()); err != nil {
		return Disk{}, err
	}
	return draft.keepUnlessThere()
}

// Remove removes the disk of a claim, if there is one.
func (s *Store) Remove(claim types.UID) error { return os.RemoveAll(s.folder(claim)) }

func (s *Store) folder(claim types.UID) string { return filepath.Join(s.dir, string(claim)) }

// disk has the name by which KubeVirt finds a disk in a claim's file system.
func (s *Store) disk(claim types.UID) Disk { return Disk{filepath.Join(s.folder(claim), "disk.img")} }

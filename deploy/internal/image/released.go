package image

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// Released takes the programs of an architecture out of the archives of a release, in place of
// Compile: they are the same bytes that people download, and say their version. The folder is made
// if it is absent.
func Released(archives, architecture, folder string) (Programs, error) {
	programs := Programs{Operator: filepath.Join(folder, "operator"), Plugins: filepath.Join(folder, "plugins")}
	if err := os.MkdirAll(programs.Plugins, 0o755); err != nil {
		return Programs{}, err
	}
	operator := filepath.Join(archives, "kubectl-machine-linux-"+architecture+".tar.gz")
	found, err := unpack(operator, func(name string) string {
		if name == "kubectl-machine" {
			return programs.Operator
		}
		return ""
	})
	if err != nil {
		return Programs{}, err
	}
	if found == 0 {
		return Programs{}, fmt.Errorf("%s has no operator", operator)
	}
	_, err = unpack(filepath.Join(archives, "placement-plugins-linux-"+architecture+".tar.gz"), func(name string) string {
		if plugin, err := filepath.Match("placement-*", name); plugin && err == nil {
			return filepath.Join(programs.Plugins, name)
		}
		return ""
	})
	return programs, err
}

// unpack writes the files of a compressed archive for which place has a path, and counts them.
func unpack(archive string, place func(name string) string) (count int, err error) {
	file, err := os.Open(archive)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	plain, err := gzip.NewReader(file)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", archive, err)
	}
	files := tar.NewReader(plain)
	for {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return count, nil
		}
		if err != nil {
			return count, fmt.Errorf("%s: %w", archive, err)
		}
		path := place(header.Name)
		if path == "" {
			continue
		}
		if err := writeProgram(path, files); err != nil {
			return count, err
		}
		count++
	}
}

func writeProgram(path string, content io.Reader) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	return errors.Join(err, file.Close())
}

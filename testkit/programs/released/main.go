// Command released writes the workspace's modules, as they are committed, into a folder that the go
// command can use as a module proxy (GOPROXY=file://FOLDER). It shows what a stranger gets who
// requires a module by its tag: no workspace and no replace lines.
//
//	released REPOSITORY FOLDER
//
// The versions are those of versions.yaml; the contents are those of the commit that is checked
// out.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/mod/module"
	"sigs.k8s.io/yaml"
)

// prefix is the modules' common path.
const prefix = "github.com/vitistack/kubevirt-multicluster/"

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "released:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return errors.New("usage: released REPOSITORY FOLDER")
	}
	versions, err := readVersions(args[0])
	if err != nil {
		return err
	}
	for folder, version := range versions {
		released := module.Version{Path: prefix + folder, Version: version}
		if err := publish(released, args[0], folder, args[1]); err != nil {
			return fmt.Errorf("%s: %w", released, err)
		}
	}
	return nil
}

// readVersions returns the modules' versions by their folders.
func readVersions(repository string) (map[string]string, error) {
	content, err := os.ReadFile(filepath.Join(repository, "versions.yaml"))
	if err != nil {
		return nil, err
	}
	var file struct {
		Modules map[string]string `json:"modules"`
	}
	if err := yaml.UnmarshalStrict(content, &file); err != nil {
		return nil, fmt.Errorf("versions.yaml: %w", err)
	}
	return file.Modules, nil
}

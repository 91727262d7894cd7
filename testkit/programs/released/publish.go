package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// publish writes one version of a module as https://go.dev/ref/mod#goproxy-protocol wants it.
func publish(released module.Version, repository, folder, proxy string) error {
	path, err := module.EscapePath(released.Path)
	if err != nil {
		return err
	}
	target := filepath.Join(proxy, filepath.FromSlash(path), "@v")
	if err := os.MkdirAll(target, 0o755); err != nil {
		return err
	}
	definition, err := os.ReadFile(filepath.Join(repository, folder, "go.mod"))
	if err != nil {
		return err
	}
	info, err := json.Marshal(map[string]string{"Version": released.Version})
	if err != nil {
		return err
	}
	base := filepath.Join(target, released.Version)
	return errors.Join(
		os.WriteFile(filepath.Join(target, "list"), []byte(released.Version+"\n"), 0o644),
		os.WriteFile(base+".mod", definition, 0o644),
		os.WriteFile(base+".info", info, 0o644),
		pack(base+".zip", released, repository, folder),
	)
}

// pack writes what git has committed of the module's folder.
func pack(file string, released module.Version, repository, folder string) error {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	err = zip.CreateFromVCS(out, released, repository, "HEAD", folder)
	return errors.Join(err, out.Close())
}

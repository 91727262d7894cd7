package chart

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// sources are the folders and files that the chart has copies of: by the path in the chart's
// folder files, the path or pattern from the repository's root.
var sources = map[string]string{
	"crds":                   "api/crds/vitistack.io_*.yaml",
	"rights/supervisor.yaml": "api/rbac/supervisor/role.yaml",
	"rights/claims.yaml":     "api/rbac/claims/role.yaml",
	"rights/page.yaml":       "api/rbac/page/role.yaml",
	"policy.yaml":            "deploy/supervisor/policy.yaml",
	"rules.yaml":             "deploy/monitoring/rules.yaml",
}

// Copies returns the files that the chart's folder files has to consist of, by their paths in it.
// It reads them in the repository, whose root is given.
func Copies(root string) (map[string][]byte, error) {
	copies := map[string][]byte{}
	for target, pattern := range sources {
		paths, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", pattern, err)
		}
		if len(paths) == 0 {
			return nil, fmt.Errorf("%s: no such file", pattern)
		}
		for _, path := range paths {
			content, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			name := target
			if filepath.Ext(target) == "" {
				name = filepath.Join(target, filepath.Base(path))
			}
			copies[name] = content
		}
	}
	return copies, nil
}

// WriteCopies replaces the folder files of a chart by what Copies returns.
func WriteCopies(root, chart string) error {
	copies, err := Copies(root)
	if err != nil {
		return err
	}
	folder := filepath.Join(chart, "files")
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(copies)) {
		path := filepath.Join(folder, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, copies[name], 0o644); err != nil {
			return err
		}
	}
	return nil
}

package plan

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
	"sigs.k8s.io/yaml"
)

// Module is a Go module of the repository that is tagged.
type Module struct {
	// Folder is its path from the root, for example clientmgr/multicluster. Path is the module's own.
	Folder, Path string
	// Version is the one that versions.yaml gives it, and Last that of its last tag before this
	// commit: "" where there is none.
	Version, Last string
	// Requires are the folders of the modules here that it requires, sorted.
	Requires []string
	// Files are those that changed since the last tag, and Because the modules that it requires of
	// which something changed. Both are sorted, and empty in a first release.
	Files, Because []string
	// API is what changed in the exported API since the last tag.
	API API
}

// API is what changed in the exported API of a module, one sentence a change.
type API struct {
	// Breaks are changes with which programs may not compile any more.
	Breaks []string
	// Adds are changes that no program notices.
	Adds []string
}

// Tag is the name of the tag of this version.
func (m Module) Tag() string { return m.Folder + "/" + m.Version }

// Changed says whether the module has to be released again.
func (m Module) Changed() bool { return m.Last == "" || len(m.Files)+len(m.Because) > 0 }

// Why says in a few words why the module is released.
func (m Module) Why() string {
	switch {
	case m.Last == "":
		return "first release"
	case len(m.Files) > 0 && len(m.Because) > 0:
		return fmt.Sprintf("%s changed, and %s that it requires", files(len(m.Files)), strings.Join(m.Because, ", "))
	case len(m.Files) > 0:
		return files(len(m.Files)) + " changed"
	case len(m.Because) > 0:
		return "requires " + strings.Join(m.Because, ", ") + ", which changed"
	default:
		return "nothing changed"
	}
}

func files(count int) string {
	if count == 1 {
		return "1 file"
	}
	return fmt.Sprintf("%d files", count)
}

// readModules reads versions.yaml and each go.mod that it names, in a folder with the repository's
// files. The modules come in the order in which tags are made: a module after all that it requires.
func readModules(folder string) ([]Module, error) {
	content, err := os.ReadFile(filepath.Join(folder, "versions.yaml"))
	if err != nil {
		return nil, err
	}
	var file struct {
		Modules map[string]string `json:"modules"`
	}
	if err := yaml.UnmarshalStrict(content, &file); err != nil {
		return nil, fmt.Errorf("versions.yaml: %w", err)
	}
	if len(file.Modules) == 0 {
		return nil, fmt.Errorf("versions.yaml names no modules")
	}
	modules := map[string]*Module{}
	byPath := map[string]string{}
	definitions := map[string]*modfile.File{}
	for name, version := range file.Modules {
		definition, err := readDefinition(folder, name)
		if err != nil {
			return nil, err
		}
		modules[name] = &Module{Folder: name, Path: definition.Module.Mod.Path, Version: version}
		byPath[definition.Module.Mod.Path], definitions[name] = name, definition
	}
	for name, definition := range definitions {
		for _, require := range definition.Require {
			if sibling, ours := byPath[require.Mod.Path]; ours {
				modules[name].Requires = append(modules[name].Requires, sibling)
			}
		}
		slices.Sort(modules[name].Requires)
	}
	return inOrder(modules)
}

func readDefinition(folder, name string) (*modfile.File, error) {
	path := filepath.Join(folder, name, "go.mod")
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("versions.yaml names a module that is not there: %w", err)
	}
	definition, err := modfile.Parse(path, content, nil)
	if err != nil {
		return nil, err
	}
	if definition.Module == nil {
		return nil, fmt.Errorf("%s names no module", path)
	}
	return definition, nil
}

// inOrder sorts modules by what they require, and by their folders where that leaves a choice.
func inOrder(modules map[string]*Module) ([]Module, error) {
	var order []Module
	done := map[string]bool{}
	for len(order) < len(modules) {
		var ready []*Module
		for _, name := range slices.Sorted(maps.Keys(modules)) {
			unmet := func(required string) bool { return !done[required] }
			if !done[name] && !slices.ContainsFunc(modules[name].Requires, unmet) {
				ready = append(ready, modules[name])
			}
		}
		if len(ready) == 0 {
			return nil, fmt.Errorf("modules require each other in a circle: none of %s can be tagged first",
				strings.Join(left(modules, done), ", "))
		}
		slices.SortFunc(ready, func(a, b *Module) int { return cmp.Compare(a.Folder, b.Folder) })
		for _, module := range ready {
			order, done[module.Folder] = append(order, *module), true
		}
	}
	return order, nil
}

func left(modules map[string]*Module, done map[string]bool) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(modules)) {
		if !done[name] {
			names = append(names, name)
		}
	}
	return names
}

package placementhost

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

// strategies are the default chain, in the order of docs/specification.md ("Automatic
// KubevirtConfig Assignment").
var strategies = []string{"annotation", "default", "single", "search"}

// A Source is where it stands which plugins there are.
type Source struct {
	// Dir has the plugins, and their digests in SumsFile.
	Dir string
	// File is the placement configuration, YAML; "" means the default chain. The path of a plugin in
	// it is relative to Dir, that of a socket to the folder of File.
	File string
}

// absolute is the source with paths that a later change of the working directory does not move.
func (s Source) absolute() (Source, error) {
	for _, path := range []*string{&s.Dir, &s.File} {
		if *path == "" {
			continue
		}
		whole, err := filepath.Abs(*path)
		if err != nil {
			return s, err
		}
		*path = whole
	}
	return s, nil
}

// Entries reads the files. What can never work is an error that names the field. A plugin that has
// no digest in either gets none: it is never started, its place in the chain says so, and Machines
// that need it wait.
func (s Source) Entries() ([]plugin.Entry, error) {
	s, err := s.absolute()
	if err != nil {
		return nil, err
	}
	entries := make([]plugin.Entry, 0, len(strategies))
	for _, name := range strategies {
		entries = append(entries, plugin.Entry{Name: name})
	}
	if s.File != "" {
		if entries, err = readConfig(s.File); err != nil {
			return nil, err
		}
	}
	sums, err := readSums(filepath.Join(s.Dir, SumsFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	for i := range entries {
		entry := &entries[i]
		if entry.Socket == "" && entry.Path == "" {
			entry.Path = "placement-" + entry.Name
		}
		if entry.Socket == "" && entry.SHA256 == "" {
			entry.SHA256 = sums[filepath.Clean(entry.Path)]
		}
	}
	if err := (plugin.Options{Dir: s.Dir, Entries: entries}).Validate(); err != nil {
		return nil, fmt.Errorf("placement configuration: %w", err)
	}
	return entries, nil
}

// config is the placement configuration.
type config struct {
	// Strategies in the order of the chain.
	Strategies []plugin.Entry `json:"strategies"`
}

// readConfig reads the file. Fields that it does not know, and an empty chain, are errors.
func readConfig(path string) ([]plugin.Entry, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("placement configuration: %w", err)
	}
	var read config
	if err := yaml.UnmarshalStrict(content, &read); err != nil {
		if strings.Contains(err.Error(), "unsupported map key") { // the library's own words for it name nothing
			err = errors.New("yaml: a key is neither a text, a number nor a truth value")
		}
		return nil, fmt.Errorf("placement configuration %s: %w", path, err)
	}
	if len(read.Strategies) == 0 {
		return nil, fmt.Errorf(
			"placement configuration %s: %w", path, errors.New("strategies is empty: no Machine could be placed"),
		)
	}
	for i := range read.Strategies {
		entry := &read.Strategies[i]
		if string(entry.Config) == "null" { // config: with nothing but comments below it
			entry.Config = nil
		}
		if entry.Socket != "" && !filepath.IsAbs(entry.Socket) {
			entry.Socket = filepath.Join(filepath.Dir(path), entry.Socket)
		}
	}
	return read.Strategies, nil
}

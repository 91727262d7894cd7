package placementhost

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

// strategies are the default chain, in the order of docs/specification.md ("Automatic
// KubevirtConfig Assignment").
var strategies = []string{"annotation", "default", "single", "search"}

// A Source is where it stands which plugins there are.
type Source struct {
	// Dir has the plugins, and their digests in SumsFile.
	Dir string
	// File is the placement configuration, YAML; "" means the default chain.
	File string
}

// Entries reads the files. A plugin that has no digest in either gets none: it is never started,
// its place in the chain says so, and Machines that need it wait.
func (s Source) Entries() ([]plugin.Entry, error) {
	entries := make([]plugin.Entry, 0, len(strategies))
	for _, name := range strategies {
		entries = append(entries, plugin.Entry{Name: name})
	}
	if s.File != "" {
		var err error
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
	return entries, nil
}

// config is the placement configuration.
type config struct {
	// Strategies in the order of the chain.
	Strategies []strategyConfig `json:"strategies"`
}

// strategyConfig is one strategy: an executable of the plugin directory, or a side-car on a socket.
type strategyConfig struct {
	Name    string                `json:"name"`
	Path    string                `json:"path"`
	SHA256  string                `json:"sha256"`
	Args    []string              `json:"args"`
	Socket  string                `json:"socket"`
	PeerUID *uint32               `json:"peerUID"`
	OnError placement.ErrorPolicy `json:"onError"`
	Timeout metav1.Duration       `json:"timeout"`
	Config  json.RawMessage       `json:"config"`
}

// readConfig reads the file. Fields that it does not know, and an empty chain, are errors.
func readConfig(path string) ([]plugin.Entry, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("placement configuration: %w", err)
	}
	var read config
	if err := yaml.UnmarshalStrict(content, &read); err != nil {
		return nil, fmt.Errorf("placement configuration %s: %w", path, err)
	}
	if len(read.Strategies) == 0 {
		return nil, fmt.Errorf(
			"placement configuration %s: %w", path, errors.New("strategies is empty: no Machine could be placed"),
		)
	}
	entries := make([]plugin.Entry, len(read.Strategies))
	for i, s := range read.Strategies {
		entries[i] = plugin.Entry{
			Name: s.Name, Path: s.Path, SHA256: s.SHA256, Args: s.Args, Socket: s.Socket, PeerUID: s.PeerUID,
			OnError: s.OnError, Timeout: s.Timeout.Duration, Config: s.Config,
		}
		if string(s.Config) == "null" { // config: with nothing but comments below it
			entries[i].Config = nil
		}
	}
	return entries, nil
}

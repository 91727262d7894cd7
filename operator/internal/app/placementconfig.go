package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

// placementConfig is the file of --placement-config.
type placementConfig struct {
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

// readPlacementConfig reads the file. Fields that it does not know, and an empty chain, are errors.
func readPlacementConfig(path string) ([]plugin.Entry, error) {
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--placement-config: %w", err)
	}
	var config placementConfig
	if err := yaml.UnmarshalStrict(content, &config); err != nil {
		return nil, fmt.Errorf("--placement-config %s: %w", path, err)
	}
	if len(config.Strategies) == 0 {
		return nil, fmt.Errorf("--placement-config %s: %w", path, errors.New("strategies is empty: no Machine could be placed"))
	}
	entries := make([]plugin.Entry, len(config.Strategies))
	for i, s := range config.Strategies {
		entries[i] = plugin.Entry{
			Name: s.Name, Path: s.Path, SHA256: s.SHA256, Args: s.Args, Socket: s.Socket, PeerUID: s.PeerUID,
			OnError: s.OnError, Timeout: s.Timeout.Duration, Config: s.Config,
		}
	}
	return entries, nil
}

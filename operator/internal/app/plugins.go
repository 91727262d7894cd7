package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-logr/logr"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

// sumsFile has the digests of the plugins in their folder, as sha256sum writes them.
const sumsFile = "SHA256SUMS"

// strategies are the default chain, in seed.md's order.
var strategies = []string{"annotation", "default", "single", "search"}

// newPlugins returns a host for the plugins, and the chain of their strategies. A plugin without a digest is never started: its place in
// the chain says so, and Machines that need it wait.
func newPlugins(dir string, logger logr.Logger) (*plugin.Host, placement.Chain, error) {
	sums, err := readSums(filepath.Join(dir, sumsFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, nil, err
	}
	var entries []plugin.Entry
	for _, name := range strategies {
		if sum, pinned := sums["placement-"+name]; pinned {
			entries = append(entries, plugin.Entry{Name: name, SHA256: sum})
		}
	}
	host := plugin.NewHost(plugin.Options{Dir: dir, Entries: entries, Logger: logger})
	running := map[string]placement.Link{}
	for _, link := range host.Chain() {
		running[link.Strategy.Name()] = link
	}
	var chain placement.Chain
	for _, name := range strategies {
		link, found := running[name]
		if !found {
			link = placement.Link{Strategy: missing(name, dir)}
		}
		chain = append(chain, link)
	}
	return host, chain, nil
}

// missing stands in for a plugin that cannot be started.
func missing(name, dir string) placement.Strategy {
	return placement.NewFunc(name, placement.Needs{}, func(context.Context, placement.Request) (placement.Decision, error) {
		return placement.Decision{}, fmt.Errorf("placement-%s has no digest in %s", name, filepath.Join(dir, sumsFile))
	})
}

// readSums reads digests by file name.
func readSums(path string) (map[string]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	sums := map[string]string{}
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if sum, name, found := strings.Cut(lines.Text(), " "); found {
			sums[strings.TrimLeft(name, " *")] = sum
		}
	}
	return sums, nil
}

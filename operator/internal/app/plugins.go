package app

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/utils/clock"

	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

// sumsFile has the digests of the plugins in their folder, as sha256sum writes them.
const sumsFile = "SHA256SUMS"

// strategies are the default chain, in seed.md's order.
var strategies = []string{"annotation", "default", "single", "search"}

const (
	// reloadEvery is how often the files are read again that say which plugins there are.
	reloadEvery = 10 * time.Second
	// reloadRest is how long at most a configuration that did not come up is left alone before it is tried again.
	reloadRest = 2 * time.Minute
)

// A pluginSource is where it stands which plugins there are.
type pluginSource struct {
	// dir has the plugins, and their digests in sumsFile.
	dir string
	// file is the placement configuration; "" means the default chain.
	file string
}

// entries reads the files. A plugin that has no digest in either gets none: it is never started, its place in the chain says so, and
// Machines that need it wait.
func (s pluginSource) entries() ([]plugin.Entry, error) {
	entries := make([]plugin.Entry, 0, len(strategies))
	for _, name := range strategies {
		entries = append(entries, plugin.Entry{Name: name})
	}
	if s.file != "" {
		var err error
		if entries, err = readPlacementConfig(s.file); err != nil {
			return nil, err
		}
	}
	sums, err := readSums(filepath.Join(s.dir, sumsFile))
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

// plugins run the strategies and follow their configuration.
type plugins struct {
	*plugin.Host
	source  pluginSource
	current []plugin.Entry
	metrics *placementMetrics
	logger  logr.Logger
	clock   clock.WithTicker
}

// newPlugins reads the configuration and returns a host that does not run yet.
func newPlugins(source pluginSource, metrics *placementMetrics, logger logr.Logger) (*plugins, error) {
	entries, err := source.entries()
	if err != nil {
		return nil, err
	}
	host := plugin.NewHost(plugin.Options{Dir: source.dir, Entries: entries, Logger: logger, Observer: metrics})
	return &plugins{Host: host, source: source, current: entries, metrics: metrics, logger: logger, clock: clock.RealClock{}}, nil
}

// Start runs the plugins until ctx ends, and puts another configuration in place when the files say so.
func (p *plugins) Start(ctx context.Context) error {
	if err := p.Host.Start(ctx); err != nil {
		return errors.Join(err, p.Close())
	}
	ticker := p.clock.NewTicker(reloadEvery)
	defer ticker.Stop()
	var again time.Time // a configuration that failed is not tried before
	rest := reloadEvery
	var failed []plugin.Entry
	for {
		select {
		case <-ctx.Done():
			return p.Close()
		case <-ticker.C():
		}
		entries, err := p.source.entries()
		switch {
		case err == nil && reflect.DeepEqual(entries, p.current):
			failed = nil
			continue
		case err == nil && !reflect.DeepEqual(entries, failed):
			rest = reloadEvery
		case p.clock.Now().Before(again):
			continue
		}
		if err == nil {
			err = p.Update(ctx, entries)
		}
		if p.metrics.reloaded(err); err == nil {
			p.logger.Info("Placement strategies changed", "strategies", namesOf(entries))
			p.current, failed = entries, nil
			continue
		}
		if ctx.Err() == nil {
			p.logger.Error(err, "Placement configuration refused, the one before stays", "retryAfter", rest.String())
		}
		failed, again, rest = entries, p.clock.Now().Add(rest), min(2*rest, reloadRest)
	}
}

func namesOf(entries []plugin.Entry) string {
	all := make([]string, 0, len(entries))
	for _, entry := range entries {
		all = append(all, entry.Name)
	}
	return strings.Join(all, ",")
}

// readSums reads digests by file name.
func readSums(path string) (map[string]string, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	sums := map[string]string{}
	lines := bufio.NewScanner(file)
	for lines.Scan() {
		if sum, name, found := strings.Cut(lines.Text(), " "); found {
			sums[strings.TrimLeft(name, " *")] = sum
		}
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("reading %s: %w", path, err)
	}
	return sums, nil
}

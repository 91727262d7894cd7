package placementhost

import (
	"cmp"
	"context"
	"errors"
	"reflect"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/utils/clock"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

const (
	// reloadEvery is how often the files are read again that say which plugins there are.
	reloadEvery = 10 * time.Second
	// reloadRest is how long at most a configuration that did not come up is left alone before it
	// is tried again.
	reloadRest = 2 * time.Minute
)

// ErrUndecided ends a question that was answered, but not with a place.
var ErrUndecided = errors.New("the Machine has no place")

// Options of a Host. The zero value works.
type Options struct {
	// Logger gets the host's lines and those of the plugins; the zero value discards.
	Logger logr.Logger
	// MetricsPrefix begins the names of the metrics; "" means DefaultMetricsPrefix.
	MetricsPrefix string
}

// DefaultMetricsPrefix is that of the operator's metrics.
const DefaultMetricsPrefix = "operator_placement"

// Host runs the strategies of a Source, follows it and counts what they do. Its methods are safe
// for concurrent use.
type Host struct {
	plugins *plugin.Host
	source  Source
	current []plugin.Entry
	metrics *metrics
	logger  logr.Logger
	clock   clock.WithTicker
}

// New reads the configuration and returns a host that does not run yet.
func New(source Source, options Options) (*Host, error) {
	source, err := source.absolute()
	if err != nil {
		return nil, err
	}
	entries, err := source.Entries()
	if err != nil {
		return nil, err
	}
	logger := options.Logger
	if logger.GetSink() == nil {
		logger = logr.Discard()
	}
	counts := newMetrics(cmp.Or(options.MetricsPrefix, DefaultMetricsPrefix))
	return &Host{
		plugins: plugin.NewHost(plugin.Options{Dir: source.Dir, Entries: entries, Logger: logger, Observer: counts}),
		source:  source,
		current: entries,
		metrics: counts,
		logger:  logger,
		clock:   clock.RealClock{},
	}, nil
}

// Collector has the metrics of the strategies.
func (h *Host) Collector() prometheus.Collector { return h.metrics }

// Place is plugin.Host's, counted.
func (h *Host) Place(ctx context.Context, gather placement.Gather) (placement.Decision, placement.Trace, error) {
	began := time.Now()
	decision, trace, err := h.plugins.Place(ctx, gather)
	h.metrics.placed(trace, time.Since(began))
	return decision, trace, err
}

// Status is how each strategy is, in the order of the chain.
func (h *Host) Status() []plugin.Status { return h.plugins.Status() }

// Open brings the plugins up for one command, in place of Start: it follows no file. It waits until
// each plugin is ready or has failed, which its answers then tell. Its error says that nothing can
// be run. Close must be called in any case.
func (h *Host) Open(ctx context.Context) error {
	if err := h.plugins.Start(ctx); err != nil {
		return err
	}
	_ = h.plugins.WaitReady(ctx) // one that is not ready says so in the trace
	return nil
}

// Close ends what Open has brought up.
func (h *Host) Close() error { return h.plugins.Close() }

// Start runs the plugins until ctx ends, and puts another configuration in place when the files say
// so.
func (h *Host) Start(ctx context.Context) error {
	if err := h.plugins.Start(ctx); err != nil {
		return errors.Join(err, h.Close())
	}
	ticker := h.clock.NewTicker(reloadEvery)
	defer ticker.Stop()
	var again time.Time // a configuration that failed is not tried before
	rest := reloadEvery
	var failed []plugin.Entry
	for {
		select {
		case <-ctx.Done():
			return h.Close()
		case <-ticker.C():
		}
		entries, err := h.source.Entries()
		switch {
		case err == nil && reflect.DeepEqual(entries, h.current):
			failed = nil
			continue
		case err == nil && !reflect.DeepEqual(entries, failed):
			rest = reloadEvery
		case h.clock.Now().Before(again):
			continue
		}
		if err == nil {
			err = h.plugins.Update(ctx, entries)
		}
		if h.metrics.reloaded(err); err == nil {
			h.logger.Info("Placement strategies changed", "strategies", namesOf(entries))
			h.current, failed = entries, nil
			continue
		}
		if ctx.Err() == nil {
			h.logger.Error(err, "Placement configuration refused, the one before stays", "retryAfter", rest.String())
		}
		failed, again, rest = entries, h.clock.Now().Add(rest), min(2*rest, reloadRest)
	}
}

func namesOf(entries []plugin.Entry) string {
	all := make([]string, 0, len(entries))
	for _, entry := range entries {
		all = append(all, entry.Name)
	}
	return strings.Join(all, ",")
}

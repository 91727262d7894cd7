package placementhost

import (
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

// Host is a plugin.Host that follows its configuration and counts what it does.
type Host struct {
	*plugin.Host
	source  Source
	current []plugin.Entry
	metrics *metrics
	logger  logr.Logger
	clock   clock.WithTicker
}

// New reads the configuration and returns a host that does not run yet.
func New(source Source, logger logr.Logger) (*Host, error) {
	entries, err := source.Entries()
	if err != nil {
		return nil, err
	}
	counts := newMetrics()
	host := plugin.NewHost(plugin.Options{Dir: source.Dir, Entries: entries, Logger: logger, Observer: counts})
	return &Host{
		Host:    host,
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
	decision, trace, err := h.Host.Place(ctx, gather)
	h.metrics.placed(trace, time.Since(began))
	return decision, trace, err
}

// Start runs the plugins until ctx ends, and puts another configuration in place when the files say
// so.
func (h *Host) Start(ctx context.Context) error {
	if err := h.Host.Start(ctx); err != nil {
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
			err = h.Update(ctx, entries)
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

package scale

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/internal/process"
)

// operator is the process that is measured.
type operator struct {
	options Options
	fleet   *fleet.Fleet
	process *process.Process
	metrics string // host and port
}

// start starts the process, with the rights that are documented.
func (o *operator) start() error {
	path, err := filepath.Abs(o.options.Operator)
	if err != nil {
		return err
	}
	port, err := controlplane.ReservePort(0)
	if err != nil {
		return err
	}
	o.metrics = fmt.Sprintf("127.0.0.1:%d", port.Number)
	if err := port.Close(); err != nil {
		return err
	}
	args := append([]string{"--kubeconfig=" + o.fleet.OperatorKubeconfig(), "--health-probe-bind-address=0",
		"--metrics-bind-address=" + o.metrics}, o.options.Args...)
	o.process, err = process.Start(process.Spec{
		Name: "operator", Path: path, Args: args, Env: []string{"KUBEVIRT_CONFIGS_NAMESPACE=" + fleet.ConfigsNamespace},
		Log: cmp.Or(o.options.Log, filepath.Join(o.fleet.Supervisor.ControlPlane.LogDir(), "operator.log")),
	})
	return err
}

// kill ends it as a crash does.
func (o *operator) kill() error { return o.process.Kill() }

func (o *operator) stop() error {
	if o.process == nil || o.process.Exited() != nil {
		return nil
	}
	return o.process.Stop(context.Background())
}

// reading is what the process says of itself.
type reading struct {
	at                      time.Time
	cpu                     float64 // seconds
	heap, resident          float64 // bytes
	goroutines, collections float64
	waiting, passes         float64 // Machines in the queue, and what was done for them
	connected               float64 // clusters
	everything              float64 // passes of all controllers
}

// read asks the process for its metrics.
func (o *operator) read(ctx context.Context) (r reading, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+o.metrics+"/metrics", nil)
	if err != nil {
		return r, err
	}
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return r, errors.Join(err, o.process.Exited())
	}
	defer answer.Body.Close()
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(answer.Body)
	if err != nil {
		return r, fmt.Errorf("the operator's metrics: %w", err)
	}
	r.at = time.Now()
	for into, name := range map[*float64]string{
		&r.cpu: "process_cpu_seconds_total", &r.heap: "go_gc_heap_live_bytes", &r.resident: "process_resident_memory_bytes",
		&r.goroutines: "go_goroutines", &r.collections: "go_gc_cycles_total_gc_cycles_total",
		&r.waiting: "workqueue_depth", &r.passes: "controller_runtime_reconcile_total",
	} {
		if len(families[name].GetMetric()) == 0 {
			return r, fmt.Errorf("the operator has no metric %s", name)
		}
		for _, series := range families[name].GetMetric() {
			if of := labelled(series, "controller"); of == "" || of == "machine" {
				*into += series.GetCounter().GetValue() + series.GetGauge().GetValue()
			}
		}
	}
	for _, series := range families["controller_runtime_reconcile_total"].GetMetric() {
		r.everything += series.GetCounter().GetValue()
	}
	for _, series := range families["clientmgr_cluster_phase"].GetMetric() {
		if labelled(series, "phase") == "Connected" {
			r.connected += series.GetGauge().GetValue()
		}
	}
	return r, nil
}

// labelled is the value of a label, "" where there is none.
func labelled(series *dto.Metric, name string) string {
	for _, label := range series.GetLabel() {
		if label.GetName() == name {
			return label.GetValue()
		}
	}
	return ""
}

const (
	// quiet is how long nothing is to happen until the operator counts as at rest.
	quiet = 3 * time.Second
	// settleTime is for that.
	settleTime = 3 * time.Minute
)

// connect waits until the operator is connected to all clusters. What is created before is not seen
// being created, and is looked for in every cluster.
func (o *operator) connect(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, settleTime, errors.New("the operator does not connect to all clusters"))
	defer cancel()
	for {
		now, err := o.read(ctx)
		if err == nil && int(now.connected) == o.options.Clusters {
			return o.settle(ctx)
		}
		if err := pause(ctx, quiet/6); err != nil {
			return errors.Join(err, o.process.Exited())
		}
	}
}

// calm waits until no controller does anything, and at most for settleTime: of many clusters one is
// always looked at. A start is over then: each cluster's definitions are read once after it.
func (o *operator) calm(ctx context.Context) error {
	deadline, before, since := time.Now().Add(settleTime), -1.0, time.Now()
	for time.Since(since) < 4*quiet && time.Now().Before(deadline) {
		now, err := o.read(ctx)
		if err != nil {
			return err
		}
		if now.everything != before {
			before, since = now.everything, time.Now()
		}
		if err := pause(ctx, quiet); err != nil {
			return err
		}
	}
	return nil
}

// settle waits until the operator has nothing to do for Machines.
func (o *operator) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, settleTime, errors.New("the operator does not come to rest"))
	defer cancel()
	before, since := -1.0, time.Now()
	for {
		now, err := o.read(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == nil && (now.waiting > 0 || now.passes != before) || err != nil {
			before, since = now.passes, time.Now()
		}
		if time.Since(since) >= quiet {
			return nil
		}
		if err := pause(ctx, quiet/6); err != nil {
			return err
		}
	}
}

// pause waits for a time.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

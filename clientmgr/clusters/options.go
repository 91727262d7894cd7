package clusters

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/transport"
)

// ErrOptions is in the chain of every error about Options.
var ErrOptions = errors.New("invalid options")

// Options tune a Manager. The zero value works: it caches nothing.
type Options struct {
	// Noun is what people call a cluster of this Manager; it goes before the name in messages. Default
	// "cluster".
	Noun string
	// Scheme knows the remote objects' types. Default: client-go's.
	Scheme *runtime.Scheme
	// Kinds are cached from each cluster. There is no client of a cluster before all of them have
	// synced. The key is an empty object in the form that reads will use: typed (its type is in
	// Scheme), *unstructured.Unstructured or *metav1.PartialObjectMetadata, the latter two with
	// apiVersion and kind set. Reads of the same kind in another form go to the server. A kind may be
	// there in one form alone. managedFields are dropped before Transform sees an object; it may
	// return a Packed one. An object that the selectors leave out reads as NotFound from the cache:
	// prove an absence that matters with Live.
	Kinds map[client.Object]cache.ByObject
	// Rights are reviewed on each new connection and credential, and then each hour, or each six
	// Probe.Intervals while some are lacking: those are in State.MissingRights.
	Rights []authorizationv1.ResourceAttributes
	// Kubeconfig says what is accepted from a kubeconfig. The zero value is the strict one.
	Kubeconfig kubeconfig.Options
	// Connection is how clusters are spoken to.
	Connection
	// For returns how one cluster is spoken to, given what is right for all: one may be far away. It
	// is called once a name. nil means that all are alike.
	For func(name string, all Connection) Connection
	// Fills is how many clusters fill their caches at once; more wait. Default 50.
	Fills int
	// LetGo is how long a cluster that is connected on demand stays so after the last look-up. Default
	// 10 minutes.
	LetGo time.Duration
	// UserAgent of all calls. Default: client-go's.
	UserAgent string
	// MetricLabel is the label that has a cluster's name. Default "cluster".
	MetricLabel string
	// Logger for changes of state. Default: controller-runtime's, named "clientmgr".
	Logger logr.Logger
	// Clock is the time. Default: the real one.
	Clock clock.WithDelayedExecution
	// Registerer takes the metrics. Default: controller-runtime's registry.
	Registerer prometheus.Registerer

	kinds []kind // those of Kinds, once they are known to be right
}

// Connection is how one cluster is spoken to. A zero field is its default.
type Connection struct {
	// Endpoint tunes TCP connections.
	Endpoint transport.EndpointOptions
	// Calls bounds what users call.
	Calls Calls
	// Fill bounds what fills a cache.
	Fill Fill
	// Probe is how it is known whether the cluster is well.
	Probe Probe
	// Watch bounds watches.
	Watch Watch
	// BackoffMax caps the time between two attempts to connect. Default 30 s.
	BackoffMax time.Duration
}

// Calls bounds the calls through clients of one cluster.
type Calls struct {
	// Timeout bounds each call, Hold included. Default 4 s: below a leader's lease duration minus its
	// renew deadline, so that a call of a former leader cannot outlive its lease.
	Timeout time.Duration
	// Hold is how long a call waits for a rotated credential or a returning server. Default 3 s;
	// negative means not at all.
	Hold time.Duration
	// InFlight is the number of calls at once; more wait, within Timeout. Default 64; negative is no
	// limit.
	InFlight int
	// MaxBytes is how large one answer may be, unpacked; all that are being read may have twice that.
	// Default 16 MiB. An answer may also have no more than 10,000 items, and one value for each 32
	// bytes of MaxBytes. What is larger is an ErrNotConnected.
	MaxBytes int64
	// QPS and Burst limit the rate, all users together; not where the server has Priority and
	// Fairness. Default 50 and 100; a negative QPS is no limit.
	QPS   float32
	Burst int
}

// Fill bounds what is read into a cache.
type Fill struct {
	// Timeout bounds each list, and the first part of each watch that begins with one. Default 60 s.
	Timeout time.Duration
	// MaxBytes and MaxObjects are how much a cluster may send into its cache, and how much of that may
	// be held there, as JSON. Default 64 MiB, some 3,000 virtual machines with their instances, and
	// 20,000. A cluster that sends more is disconnected, and tried again after a back-off.
	MaxBytes   int64
	MaxObjects int
}

// Probe is how a cluster is asked whether it is well.
type Probe struct {
	// Interval is the time between two probes of a cluster that is well, with a tenth of jitter.
	// Default 10 s.
	Interval time.Duration
	// Timeout bounds one probe, and one check of a candidate. Default 5 s.
	Timeout time.Duration
	// Failures is the number of failed probes in a row that make a cluster Degraded. Default 3; they
	// follow each other fast.
	Failures int
	// Successes is the number of good probes in a row that make it Connected again. Default 2.
	Successes int
}

// Watch bounds the watches of one cluster.
type Watch struct {
	// Silence is the time after which a watch that delivers nothing is cut. Default 150 s: servers
	// send a bookmark about each minute, at times each second minute.
	Silence time.Duration
	// OpenTimeout bounds the wait for a server's answer to the opening of a watch. Default 30 s.
	OpenTimeout time.Duration
}

// WithDefaults returns the options as a Manager has them: zero fields are replaced.
func (o Options) WithDefaults() Options {
	o.Noun = cmp.Or(o.Noun, "cluster")
	o.MetricLabel = cmp.Or(o.MetricLabel, "cluster")
	o.Fills = cmp.Or(o.Fills, 50)
	o.LetGo = cmp.Or(o.LetGo, 10*time.Minute)
	o.UserAgent = cmp.Or(o.UserAgent, rest.DefaultKubernetesUserAgent())
	o.Connection = o.withDefaults()
	if o.Scheme == nil {
		o.Scheme = clientgoscheme.Scheme
	}
	if o.Logger.GetSink() == nil {
		o.Logger = log.Log.WithName("clientmgr")
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Registerer == nil {
		o.Registerer = ctrlmetrics.Registry
	}
	return o
}

func (c Connection) withDefaults() Connection {
	c.Calls.Timeout = cmp.Or(c.Calls.Timeout, 4*time.Second)
	c.Calls.Hold = cmp.Or(c.Calls.Hold, 3*time.Second)
	c.Calls.InFlight = cmp.Or(c.Calls.InFlight, 64)
	c.Calls.QPS = cmp.Or(c.Calls.QPS, 50)
	c.Calls.Burst = cmp.Or(c.Calls.Burst, 100)
	c.Calls.MaxBytes = cmp.Or(c.Calls.MaxBytes, 16<<20)
	c.Fill.Timeout = cmp.Or(c.Fill.Timeout, time.Minute)
	c.Fill.MaxBytes = cmp.Or(c.Fill.MaxBytes, 64<<20)
	c.Fill.MaxObjects = cmp.Or(c.Fill.MaxObjects, 20_000)
	c.Probe.Interval = cmp.Or(c.Probe.Interval, 10*time.Second)
	c.Probe.Timeout = cmp.Or(c.Probe.Timeout, 5*time.Second)
	c.Probe.Failures = cmp.Or(c.Probe.Failures, 3)
	c.Probe.Successes = cmp.Or(c.Probe.Successes, 2)
	c.Watch.Silence = cmp.Or(c.Watch.Silence, 150*time.Second)
	c.Watch.OpenTimeout = cmp.Or(c.Watch.OpenTimeout, 30*time.Second)
	c.BackoffMax = cmp.Or(c.BackoffMax, 30*time.Second)
	return c
}

// of returns the options of one cluster.
func (o Options) of(name string) Options {
	if o.For != nil {
		o.Connection = o.For(name, o.Connection).withDefaults()
	}
	return o
}

// validate names the first field that can never work.
func (o Options) validate() error {
	if err := o.Connection.validate(); err != nil {
		return err
	}
	if o.Fills < 0 {
		return fmt.Errorf("%w: Fills is negative", ErrOptions)
	}
	if o.LetGo < 0 {
		return fmt.Errorf("%w: LetGo is negative", ErrOptions)
	}
	_, err := kindsOf(o.Kinds, o.Scheme)
	return err
}

func (c Connection) validate() error {
	for _, field := range []struct {
		name  string
		value time.Duration
	}{
		{"Endpoint.DialTimeout", c.Endpoint.DialTimeout}, {"Endpoint.PingInterval", c.Endpoint.PingInterval},
		{"Endpoint.PingTimeout", c.Endpoint.PingTimeout}, {"Calls.Timeout", c.Calls.Timeout}, {"Fill.Timeout", c.Fill.Timeout},
		{"Probe.Interval", c.Probe.Interval}, {"Probe.Timeout", c.Probe.Timeout}, {"Watch.Silence", c.Watch.Silence},
		{"Watch.OpenTimeout", c.Watch.OpenTimeout}, {"BackoffMax", c.BackoffMax},
		{"Probe.Failures", time.Duration(c.Probe.Failures)}, {"Probe.Successes", time.Duration(c.Probe.Successes)},
		{"Calls.Burst", time.Duration(c.Calls.Burst)}, {"Calls.MaxBytes", time.Duration(c.Calls.MaxBytes)},
		{"Fill.MaxBytes", time.Duration(c.Fill.MaxBytes)}, {"Fill.MaxObjects", time.Duration(c.Fill.MaxObjects)},
	} {
		if field.value < 0 {
			return fmt.Errorf("%w: %s is negative", ErrOptions, field.name)
		}
	}
	if c.Calls.Hold >= c.Calls.Timeout {
		return fmt.Errorf("%w: Calls.Hold is %s, and a call ends after Calls.Timeout, %s", ErrOptions, c.Calls.Hold,
			c.Calls.Timeout)
	}
	return nil
}

// logKey is the key of a cluster's name in the log.
func (o Options) logKey() string { return strings.ToLower(o.Noun[:1]) + o.Noun[1:] }

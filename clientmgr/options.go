package clientmgr

import (
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	authorizationv1 "k8s.io/api/authorization/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	ctrlmetrics "sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/kubeconfig"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/transport"
)

// Kind declares one kind of remote objects that is cached from every cluster.
type Kind struct {
	// Object is an empty object of the kind, in the form that reads will use: typed (its type is in
	// Options.Scheme), *unstructured.Unstructured or *metav1.PartialObjectMetadata, the latter two
	// with apiVersion and kind set. Reads of the same kind in another form go to the server.
	Object client.Object
	// Selector limits what is cached, by label. An object without the labels reads as NotFound from
	// the cache: prove an absence that matters with Live. nil caches all objects.
	Selector labels.Selector
	// Transform trims objects before they are stored. managedFields are gone already. nil keeps the
	// rest.
	Transform toolscache.TransformFunc
}

// Options tune a KubevirtClientManager. The zero value works: it caches nothing and looks for
// configs in namespace "default".
type Options struct {
	// ConfigsNamespace is the namespace of the KubevirtConfigs and their Secrets
	// (KUBEVIRT_CONFIGS_NAMESPACE). Default "default". Where the supervisor's KubevirtConfig is
	// cluster-scoped it has no effect: each config names its Secret's namespace.
	ConfigsNamespace string
	// Secrets reads, past the supervisor's cache, the Secrets in namespaces that the cache does not
	// hold: cluster-scoped KubevirtConfigs may name any. Each is read when a KubevirtConfig names it,
	// and every SecretInterval (default 30 s). nil: such a Secret is missing.
	Secrets        client.Reader
	SecretInterval time.Duration
	// Scheme knows the remote objects' types. Default: the supervisor client's.
	Scheme *runtime.Scheme
	// Kinds are cached from each cluster. There is no client of a cluster before all of them have
	// synced.
	Kinds []Kind
	// Rights are reviewed on each new connection and credential, and then each hour, or each six
	// ProbeIntervals while some are lacking: those are in State.MissingRights.
	Rights []authorizationv1.ResourceAttributes
	// Kubeconfig says what is accepted from a kubeconfig. The zero value is the strict one.
	Kubeconfig kubeconfig.Options
	// Endpoint tunes connections.
	Endpoint transport.EndpointOptions
	// Hold is how long a call waits for a rotated credential or a returning server. Default 3 s.
	Hold time.Duration
	// QPS and Burst limit the calls to one cluster, all users together; not where its server has
	// Priority and Fairness. Default 50 and 100; a negative QPS is no limit.
	QPS   float32
	Burst int
	// CallTimeout bounds each call through a client, Hold included. Default 4 s: below a leader's
	// lease duration minus its renew deadline, so that a call of a former leader cannot outlive its
	// lease.
	CallTimeout time.Duration
	// ListTimeout bounds each list that fills a cache. Default 60 s.
	ListTimeout time.Duration
	// MaxInFlight is the number of calls to one cluster at once; more wait, within CallTimeout.
	// Default 64; negative is no limit.
	MaxInFlight int
	// ProbeInterval is the time between two probes of a cluster that is well, with a tenth of jitter.
	// Default 10 s.
	ProbeInterval time.Duration
	// ProbeTimeout bounds one probe, and one check of a candidate. Default 5 s.
	ProbeTimeout time.Duration
	// FailureThreshold is the number of failed probes in a row that make a cluster Degraded. Default
	// 3; they follow each other fast.
	FailureThreshold int
	// SuccessThreshold is the number of good probes in a row that make it Connected again. Default 2.
	SuccessThreshold int
	// WatchSilence is the time after which a watch that delivers nothing is cut. Default 150 s:
	// servers send a bookmark about each minute, at times each second minute.
	WatchSilence time.Duration
	// OpenTimeout bounds the wait for a server's answer to the opening of a watch. Default 30 s.
	OpenTimeout time.Duration
	// BackoffMax caps the time between two attempts to connect. Default 30 s.
	BackoffMax time.Duration
	// AllowUnverifiedIdentity hands out a client for a Machine that was placed in a cluster which
	// never let its identity be read: neither the ledger nor the KubevirtConfig has a UID. A known
	// identity that cannot be read is ErrIdentityUnverified, whatever this says.
	AllowUnverifiedIdentity bool
	// WarmStandby keeps connections and caches while not leading as well. By default only the leader
	// has them.
	WarmStandby bool
	// UserAgent of all calls. Default: client-go's.
	UserAgent string
	// Logger for changes of state. Default: controller-runtime's, named "clientmgr".
	Logger logr.Logger
	// Clock is the time. Default: the real one.
	Clock clock.WithDelayedExecution
	// Registerer takes the metrics. Default: controller-runtime's registry.
	Registerer prometheus.Registerer
}

func orDefault[T comparable](value, fallback T) T {
	if value == *new(T) {
		return fallback
	}
	return value
}

func (o Options) withDefaults(supervisor client.Client) Options {
	o.ConfigsNamespace = orDefault(o.ConfigsNamespace, "default")
	if o.Scheme == nil {
		o.Scheme = supervisor.Scheme()
	}
	o.SecretInterval = orDefault(o.SecretInterval, 30*time.Second)
	o.Hold = orDefault(o.Hold, 3*time.Second)
	o.QPS = orDefault(o.QPS, 50)
	o.Burst = orDefault(o.Burst, 100)
	o.CallTimeout = orDefault(o.CallTimeout, 4*time.Second)
	o.ListTimeout = orDefault(o.ListTimeout, time.Minute)
	o.MaxInFlight = max(0, orDefault(o.MaxInFlight, 64))
	o.ProbeInterval = orDefault(o.ProbeInterval, 10*time.Second)
	o.ProbeTimeout = orDefault(o.ProbeTimeout, 5*time.Second)
	o.FailureThreshold = max(1, orDefault(o.FailureThreshold, 3))
	o.SuccessThreshold = max(1, orDefault(o.SuccessThreshold, 2))
	o.WatchSilence = orDefault(o.WatchSilence, 150*time.Second)
	o.OpenTimeout = orDefault(o.OpenTimeout, 30*time.Second)
	o.BackoffMax = orDefault(o.BackoffMax, 30*time.Second)
	o.UserAgent = orDefault(o.UserAgent, rest.DefaultKubernetesUserAgent())
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

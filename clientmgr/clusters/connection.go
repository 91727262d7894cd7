package clusters

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	authorizationclient "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	ctrlcluster "sigs.k8s.io/controller-runtime/pkg/cluster"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/transport"
)

// connection is one cluster while it is known to be the same: a transport that follows rotations,
// the clients on it and the cache. It is made anew for another identity, for restored data, or when
// asked for; never for a mere loss of contact.
type connection struct {
	called

	options Options
	uid     atomic.Pointer[string] // of the cluster; "" while it is not known

	swap       *transport.Swap
	calls      *transport.Bound // what users call
	background *transport.Bound // what fills caches and probes
	limiter    *limiter
	rest       *rest.Config // for users
	direct     client.Client
	cache      *remoteCache                        // nil until started
	remote     *remoteClient                       // what is handed out; nil until there is a cache
	live       client.Reader                       // the same past the cache
	cluster    func() (ctrlcluster.Cluster, error) // the same as a cluster.Cluster, made once

	life context.Context //nolint:containedctx // ends with the connection
	end  context.CancelFunc

	wake     func()      // has the connection looked at
	restored atomic.Bool // the server's data went back in time
	moved    atomic.Bool // another cluster answers at the same address
}

// noRedirect returns a redirect as the answer that it is: no API server sends one, and a write that
// is sent again and again is not to be made more of.
func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// maxItems is how many items one answer may have.
const maxItems = 10_000

// limitsOf are the limits of one answer.
func limitsOf(bytes int64) transport.Limits {
	return transport.Limits{Bytes: bytes, Values: bytes / valueSize, Objects: maxItems}
}

// newConnection builds a connection on an endpoint that has been identified. It does no I/O. wake
// is called when the connection wants to be looked at.
func newConnection(
	of called, endpoint *transport.Endpoint, id identity, options Options, wake func(),
) (*connection, error) {
	c := &connection{called: of, options: options, wake: wake}
	c.uid.Store(&id.uid)
	c.life, c.end = context.WithCancel(context.Background())
	c.cluster = sync.OnceValues(c.makeCluster)
	c.swap = transport.NewSwap(endpoint, transport.SwapOptions{
		Hold: options.Calls.Hold, OpenTimeout: options.Watch.OpenTimeout, Clock: options.Clock,
		BeforeResume: c.beforeResume,
	})
	answer := limitsOf(options.Calls.MaxBytes)
	c.calls = transport.NewBound(c.swap, transport.BoundOptions{
		Timeout: options.Calls.Timeout, InFlight: max(0, options.Calls.InFlight), Answer: answer,
		Answers: transport.Limits{Bytes: 2 * answer.Bytes, Values: 2 * answer.Values, Objects: 2 * answer.Objects},
	})
	c.background = transport.NewBound(c.swap, transport.BoundOptions{Timeout: options.Fill.Timeout})
	c.limiter = newLimiter(options.Calls.QPS, options.Calls.Burst)
	c.limiter.off.Store(id.fair)
	c.rest = &rest.Config{
		Host: transport.Host(of.name), Transport: c.calls, UserAgent: options.UserAgent, QPS: -1, RateLimiter: c.limiter,
		WarningHandlerWithContext: rest.NoWarnings{},
		ContentConfig:             rest.ContentConfig{ContentType: "application/json"}, // the one whose values are counted
	}
	httpClient, err := rest.HTTPClientFor(c.rest)
	if err != nil {
		return nil, fmt.Errorf("making an HTTP client: %w", err)
	}
	httpClient.CheckRedirect = noRedirect
	mapper, err := newMapper(c.rest, httpClient)
	if err != nil {
		return nil, fmt.Errorf("making a REST mapper: %w", err)
	}
	direct, err := client.New(c.rest, client.Options{HTTPClient: httpClient, Scheme: options.Scheme, Mapper: mapper})
	if err != nil {
		return nil, fmt.Errorf("making a client: %w", err)
	}
	c.direct = answeredClient{direct}
	return c, nil
}

// close ends everything of the connection, and waits until the last informer has ended.
func (c *connection) close() {
	c.end()
	c.swap.Close()
	if c.cache != nil {
		<-c.cache.stopped
	}
}

// asker returns one that asks through the watches' own transport.
func (c *connection) asker() asker {
	return asker{through: c.background, timeout: c.options.Probe.Timeout, agent: c.options.UserAgent}
}

// beforeResume looks whether a watch that broke off may go on.
func (c *connection) beforeResume(ctx context.Context, collection, resourceVersion string) error {
	ask := c.asker()
	ask.timeout = c.options.Fill.Timeout // a server takes some seconds to say that it is behind
	err := ask.notOlder(ctx, *c.uid.Load(), collection, resourceVersion)
	switch {
	case errors.Is(err, errRestored):
		c.distrust(&c.restored)
	case errors.Is(err, ErrIdentityChanged):
		c.distrust(&c.moved)
	}
	return err
}

// probe asks the cluster who it is, over the connections of the watches. The identity is the zero
// value where it may not be read and never could be: the server answers, and that is what is asked.
func (c *connection) probe(ctx context.Context) (identity, error) {
	id, err := c.asker().kubeSystem(ctx, "")
	uid := *c.uid.Load()
	switch {
	case apierrors.IsForbidden(err) && uid == "":
		return identity{}, nil
	case apierrors.IsForbidden(err):
		return identity{}, errUnverified
	case err != nil:
		return identity{}, classify(err)
	case uid != "" && id.uid != uid:
		c.distrust(&c.moved)
		return identity{}, failure{ErrIdentityChanged, ReasonIdentityChanged, anotherAnswers}
	}
	c.limiter.off.Store(id.fair)
	return id, nil
}

// distrust notes why the connection is not to be trusted any more. No client of it is used from now
// on.
func (c *connection) distrust(why *atomic.Bool) {
	why.Store(true)
	c.wake()
}

// anotherAnswers is what a person reads of a cluster that changed behind its address.
const anotherAnswers = "another cluster answers"

// untrusted is why the connection is not to be trusted any more, nil where it is.
func (c *connection) untrusted() error {
	switch {
	case c.moved.Load():
		return c.error(ErrIdentityChanged, anotherAnswers)
	case c.restored.Load():
		return c.error(ErrNotConnected, errRestored.text)
	default:
		return nil
	}
}

// missingRights reviews which rights the credential lacks.
func (c *connection) missingRights(ctx context.Context) ([]authorizationv1.ResourceAttributes, error) {
	httpClient := &http.Client{Transport: c.calls, CheckRedirect: noRedirect}
	reviews, err := authorizationclient.NewForConfigAndClient(c.rest, httpClient)
	if err != nil {
		return nil, fmt.Errorf("making a client for reviews: %w", err)
	}
	var missing []authorizationv1.ResourceAttributes
	for _, right := range c.options.Rights {
		review := &authorizationv1.SelfSubjectAccessReview{
			Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &right},
		}
		answer, err := reviews.SelfSubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
		if err != nil {
			return nil, callError(c.called, err)
		}
		if !answer.Status.Allowed {
			missing = append(missing, right)
		}
	}
	return missing, nil
}

// restConfig returns a copy for a user.
func (c *connection) restConfig() *rest.Config { return rest.CopyConfig(c.rest) }

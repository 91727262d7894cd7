package clientmgr

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
)

// ErrSupervisorRestored says that the supervisor has less data than it had.
var ErrSupervisorRestored = errors.New(
	"the supervisor's data is older than what was seen of it: it was restored from a backup")

// Continuity notices that the supervisor was restored from a backup while this process runs.
// Nothing else does: the server lets a watch resume from a revision that it does not have any more,
// and says nothing until it has got there again, so that caches show what is no longer true; and a
// client that lets reads see earlier writes waits for revisions that may never come. Both forget
// only with the process.
//
// It is a wrapper for the rest.Config of the supervisor's cache, and a Runnable of the manager,
// which it ends. Before each watch that resumes it asks for the revision that the server has: a
// list of one object's metadata. It is safe for concurrent use.
//
// A supervisor that has given out all lost revisions again before the first watch resumes is not
// noticed. A restore that lets revisions go on above the lost ones (etcdutl snapshot restore
// --bump-revision --mark-compacted) is none that harms: watches begin anew by themselves.
type Continuity struct {
	once   sync.Once
	broken chan struct{}
}

// NewContinuity returns a Continuity that has seen nothing yet.
func NewContinuity() *Continuity { return &Continuity{broken: make(chan struct{})} }

// Start waits for the end of ctx, and returns nil, or for a restored supervisor, and returns
// ErrSupervisorRestored.
func (c *Continuity) Start(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case <-c.broken:
		return ErrSupervisorRestored
	}
}

// NeedLeaderElection says no: who waits to lead has caches too.
func (c *Continuity) NeedLeaderElection() bool { return false }

// Wrap is for rest.Config.Wrap. Once the supervisor was restored every request fails with
// ErrSupervisorRestored.
func (c *Continuity) Wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripFunc(func(request *http.Request) (*http.Response, error) {
		select {
		case <-c.broken:
			return nil, ErrSupervisorRestored
		default:
		}
		had := request.URL.Query().Get("resourceVersion")
		if watch, _ := strconv.ParseBool(request.URL.Query().Get("watch")); !watch || had == "" || had == "0" {
			return next.RoundTrip(request)
		}
		has, refusal, err := revision(request, next)
		switch {
		case err != nil || refusal != nil:
			return refusal, err
		case clusters.IsOlder(has, had):
			c.once.Do(func() { close(c.broken) })
			return nil, ErrSupervisorRestored
		}
		return next.RoundTrip(request)
	})
}

// revision asks for the one that the collection of a watch has. refusal is an answer that has none.
func revision(watch *http.Request, through http.RoundTripper) (has string, refusal *http.Response, err error) {
	request := watch.Clone(watch.Context())
	request.URL.RawQuery = url.Values{"limit": {"1"}}.Encode()
	request.Header.Set("Accept", "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io")
	response, err := through.RoundTrip(request)
	if err != nil || response.StatusCode != http.StatusOK {
		return "", response, err
	}
	defer func() { _ = response.Body.Close() }()
	var list metav1.PartialObjectMetadataList
	err = json.NewDecoder(io.LimitReader(response.Body, maxRevision)).Decode(&list)
	return list.ResourceVersion, nil, err
}

// maxRevision bounds the answer that has a revision, in bytes: a list of one object's metadata.
const maxRevision = 1 << 20

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

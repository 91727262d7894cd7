package clusters

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/apimachinery/pkg/version"
)

const (
	identityPath = "/api/v1/namespaces/kube-system"
	// fairnessHeader is on every answer of a server with API Priority and Fairness, which then needs
	// no limit on our side.
	fairnessHeader = "X-Kubernetes-Pf-Flowschema-Uid"
	maxAnswer      = 1 << 20
	// settle is the wait before a 403 is believed: a server that just started forbids everything for a
	// moment.
	settle = time.Second
)

// asker asks an API server the few questions that a connection rests on, without any of client-go's
// retries.
type asker struct {
	through http.RoundTripper
	timeout time.Duration
	agent   string
}

// get reads a path into an object and returns the answer's header. Any status but 200 is an
// *errors.StatusError.
func (a asker) get(ctx context.Context, path string, query url.Values, into any) (http.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, a.timeout)
	defer cancel()
	address := url.URL{Scheme: "https", Host: "cluster.invalid", Path: path, RawQuery: query.Encode()}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return nil, fmt.Errorf("making the request: %w", err)
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", a.agent)
	resp, err := a.through.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		return nil, statusOf(resp.StatusCode, body)
	}
	if into == nil {
		return resp.Header, nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return nil, unreachable(errNoAnswer.Error()) // err may quote it
	}
	return resp.Header, nil
}

func statusOf(code int, body []byte) error {
	var status metav1.Status
	if json.Unmarshal(body, &status) == nil && status.Kind == "Status" && int(status.Code) == code {
		return &apierrors.StatusError{ErrStatus: status}
	}
	return apierrors.NewGenericServerResponse(code, http.MethodGet, schema.GroupResource{}, "", "", 0, true)
}

// identity is who answers.
type identity struct {
	uid     string // of namespace kube-system; "" where reading it is forbidden
	version string // "" where it cannot be had
	fair    bool   // the server has API Priority and Fairness
}

// identify asks who answers. Where reading kube-system is forbidden, and stays so after the server
// says that it is ready, the uid is "". Errors are failures.
func (a asker) identify(ctx context.Context) (identity, error) {
	id, err := a.kubeSystem(ctx, "")
	if apierrors.IsForbidden(err) {
		if err := a.ready(ctx); err != nil {
			return identity{}, err
		}
		id, err = a.kubeSystem(ctx, "")
	}
	if apierrors.IsForbidden(err) {
		err = nil
	}
	if err != nil {
		return identity{}, classify(err)
	}
	id.version = a.version(ctx)
	return id, nil
}

// version returns the server's version, "" where it cannot be had: not every credential may read
// it.
func (a asker) version(ctx context.Context) string {
	var info version.Info
	if _, err := a.get(ctx, "/version", nil, &info); err != nil {
		return ""
	}
	return info.GitVersion
}

// kubeSystem reads the namespace's UID, not older than a resourceVersion where one is given.
func (a asker) kubeSystem(ctx context.Context, resourceVersion string) (identity, error) {
	query := url.Values{}
	if resourceVersion != "" {
		query.Set("resourceVersion", resourceVersion)
	}
	var namespace metav1.PartialObjectMetadata
	header, err := a.get(ctx, identityPath, query, &namespace)
	if err != nil {
		return identity{}, err
	}
	if namespace.Kind != "Namespace" || namespace.Name != metav1.NamespaceSystem || namespace.UID == "" {
		return identity{}, unreachable(errNoAnswer.Error())
	}
	return identity{uid: string(namespace.UID), fair: header.Get(fairnessHeader) != ""}, nil
}

// ready waits a moment and asks whether the server is ready. Being forbidden to ask counts as
// ready.
func (a asker) ready(ctx context.Context) error {
	timer := time.NewTimer(settle)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
		return classify(ctx.Err())
	}
	if _, err := a.get(ctx, "/readyz", nil, nil); err != nil && !apierrors.IsForbidden(err) {
		return classify(err)
	}
	return nil
}

// errRestored says that the server's data is older than what was seen of it before.
var errRestored = failure{sentinel: ErrNotConnected, reason: ReasonRestored,
	text: "the server's data went back in time"}

// notOlder checks that the server still has the revision that a watch wants to resume from, and
// that it is the same cluster. A server restored from a backup would accept such a watch and miss
// events without a word. A read "not older than" answers without a list; only where it says that
// the revision is not reached, or may not be asked, the collection itself is asked for its version.
func (a asker) notOlder(ctx context.Context, uid, collection, resourceVersion string) error {
	id, err := a.kubeSystem(ctx, resourceVersion)
	switch {
	case err == nil && uid != "" && id.uid != uid:
		return failure{ErrIdentityChanged, ReasonIdentityChanged, anotherAnswers}
	case err == nil:
		return nil
	case !apierrors.HasStatusCause(err, metav1.CauseTypeResourceVersionTooLarge) && !apierrors.IsForbidden(err):
		return err
	}
	var list metav1.PartialObjectMetadataList
	if _, err := a.get(ctx, collection, url.Values{"limit": {"1"}}, &list); err != nil {
		return err
	}
	if IsOlder(list.ResourceVersion, resourceVersion) {
		return errRestored
	}
	return nil
}

// IsOlder reports whether a server's data is older than a resourceVersion that was seen of it. What
// cannot be compared is not older.
func IsOlder(has, had string) bool {
	order, err := resourceversion.CompareResourceVersion(has, had)
	return err == nil && order < 0
}

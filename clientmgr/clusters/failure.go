package clusters

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/transport"
)

// failure is why a cluster is not usable, in fixed words: errors of the network tell addresses and
// names, which come from the Secret.
type failure struct {
	sentinel error  // one of the package's errors
	reason   string // one of the Reason constants
	text     string // for people
}

func (f failure) Error() string { return f.text }

// Unwrap keeps errors.Is working on a failure on its way up.
func (f failure) Unwrap() error { return f.sentinel }

// errUnverified says that a cluster whose identity is known does not let it be read any more.
var errUnverified = failure{
	ErrIdentityUnverified, ReasonIdentityUnverified,
	"the identity of the cluster is known but cannot be verified: reading namespace kube-system is forbidden",
}

func unreachable(text string) failure {
	return failure{sentinel: ErrNotConnected, reason: ReasonUnreachable, text: text}
}

// classify names an error met while asking a cluster something that it must be able to answer.
func classify(err error) failure {
	var known failure
	if errors.As(err, &known) {
		return known
	}
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		return unreachable(describe(err))
	}
	switch code := status.Status().Code; code {
	case http.StatusUnauthorized:
		return failure{ErrUnauthorized, ReasonUnauthorized, "the server refuses the credential"}
	case http.StatusForbidden:
		return failure{ErrForbidden, ReasonForbidden, "the server refuses the right"}
	default:
		return unreachable(fmt.Sprintf("the server answers with status %d", code))
	}
}

// describe puts an error of the network into words that hold nothing of it.
func describe(err error) string {
	var (
		dns        *net.DNSError
		unverified *tls.CertificateVerificationError
		record     tls.RecordHeaderError
		alert      tls.AlertError
		timeout    net.Error
	)
	switch {
	case errors.Is(err, transport.ErrBusy):
		return "too many calls in flight"
	case errors.Is(err, transport.ErrClosed):
		return "the connection was closed"
	case errors.Is(err, transport.ErrTooLarge):
		return "the answer is larger than is read"
	case errors.Is(err, transport.ErrAddress):
		return "the server's address is refused"
	case errors.Is(err, context.Canceled):
		return "the call was cancelled"
	case errors.Is(err, context.DeadlineExceeded):
		return "no answer in time"
	case errors.As(err, &dns):
		return "the server's name cannot be resolved"
	case errors.As(err, &unverified):
		return "the server's certificate is not trusted"
	case errors.As(err, &record):
		return "the server does not speak TLS"
	case errors.As(err, &alert):
		return "the TLS handshake was refused"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF),
		errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection broke off"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "no route to the server"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	default:
		return "the server cannot be reached"
	}
}

// CallError is a call to a remote cluster that was refused, or not answered with authority. Its
// chain holds the sentinel (ErrUnauthorized, ErrForbidden, ErrKindNotServed, ErrBusy or
// ErrNotConnected) and, where an API server answered 401 or 403, that *errors.StatusError. Its text
// has the server's own words, made safe.
type CallError struct {
	// Config is the cluster's name.
	Config string
	title  string // the name with its noun
	failed failure
	status error // an API status that may be looked at, or a context's error
}

func newCallError(of called, failed failure, status error) *CallError {
	return &CallError{Config: of.name, title: of.String(), failed: failed, status: status}
}

// Error names the cluster and the failure, without anything of the credential or the address.
func (e *CallError) Error() string { return e.title + ": " + e.failed.text }

// Unwrap returns the sentinel and, where there is one, the cause.
func (e *CallError) Unwrap() []error {
	if e.status == nil {
		return []error{e.failed.sentinel}
	}
	return []error{e.failed.sentinel, e.status}
}

// callError translates the error of a call. An answer of the API server about the object (NotFound,
// Conflict, Invalid, a webhook that failed, a server that is busy) keeps its kind and its words,
// made safe. An error that no network has caused stays as it is.
func callError(of called, err error) error {
	var status apierrors.APIStatus
	switch {
	case err == nil:
		return nil
	case errors.As(err, &status):
		return statusError(of, err, status.Status())
	case errors.Is(err, context.Canceled):
		return newCallError(of, unreachable(describe(err)), context.Canceled)
	case errors.Is(err, transport.ErrBusy):
		busy := failure{ErrBusy, ReasonUnreachable, describe(err)}
		return newCallError(of, busy, context.DeadlineExceeded)
	case errors.Is(err, context.DeadlineExceeded):
		return newCallError(of, unreachable(describe(err)), context.DeadlineExceeded)
	case meta.IsNoMatchError(err):
		return newCallError(of, notServing(kindIn(err)), err)
	case errors.Is(err, transport.ErrTooLarge):
		return newCallError(of, unreachable(describe(err)), nil)
	case ofNetwork(err):
		return newCallError(of, unreachable(describe(err)), nil)
	case errors.Is(err, errNoAnswer):
		return newCallError(of, unreachable(errNoAnswer.Error()), nil)
	default:
		return err
	}
}

func statusError(of called, err error, status metav1.Status) error {
	if outOfTime, found := unlabelled(status); found {
		err, status = outOfTime, outOfTime.ErrStatus
	}
	switch {
	case status.Code == http.StatusUnauthorized, status.Code == http.StatusForbidden:
		if status.Reason == metav1.StatusReasonNotFound {
			status.Reason = "" // a refusal is no absence, whatever its body says
		}
		safe := safeStatus(status)
		failed := classify(safe)
		failed.text = refusal(failed.text, safe)
		return newCallError(of, failed, safe)
	case status.Reason == metav1.StatusReasonNotFound && status.Code != http.StatusNotFound:
		return newCallError(of, unreachable(errNoAnswer.Error()), nil) // no API server contradicts itself
	case status.Code == http.StatusNotFound && !aboutAnObject(status):
		return newCallError(of, notServing(resourceIn(status)), nil)
	case !madeUp(status):
		return worded(err, status)
	case status.Code == http.StatusTooManyRequests, status.Code == http.StatusRequestEntityTooLarge:
		return safeStatus(status) // API servers send these two without a body of their own as well
	default:
		return newCallError(of, classify(err), nil)
	}
}

// refusal joins our words with the server's, where those say more. A 403 stands in the server's
// words alone: a quota, or a namespace that is being deleted, answers it as well, and neither is
// about a right.
func refusal(ours string, status *apierrors.StatusError) string {
	said := status.ErrStatus.Message
	if said == "" || said == string(status.ErrStatus.Reason) || madeUp(status.ErrStatus) {
		return ours
	}
	if status.ErrStatus.Code == http.StatusForbidden {
		return said
	}
	return ours + ": " + said
}

// notServing is the answer that a server does not serve a kind, "" where it is not known which.
func notServing(kind string) failure {
	if kind == "" {
		kind = "this kind"
	}
	return failure{ErrKindNotServed, ReasonKindNotServed, "the server does not serve " + kind}
}

// kindIn names the kind that a REST mapper did not find.
func kindIn(err error) string {
	var noKind *meta.NoKindMatchError
	if errors.As(err, &noKind) {
		return noKind.GroupKind.String()
	}
	return ""
}

// resourceIn names the resource that a call was about. It may be the server that says so.
func resourceIn(status metav1.Status) string {
	if status.Details == nil {
		return ""
	}
	about := schema.GroupResource{Group: status.Details.Group, Resource: status.Details.Kind}
	return anonymous(about.String())
}

// aboutAnObject reports whether a 404 is an API server's word about one object. Proxies, load
// balancers and servers that do not know the path answer 404 too; client-go marks what it made up
// from such an answer.
func aboutAnObject(status metav1.Status) bool {
	if status.Reason != metav1.StatusReasonNotFound || status.Details == nil || status.Details.Name == "" {
		return false
	}
	return !madeUp(status)
}

func ofNetwork(err error) bool {
	var timeout net.Error // *url.Error is one: every error of an http.Client
	return errors.As(err, &timeout) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, transport.ErrClosed)
}

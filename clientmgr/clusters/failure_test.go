package clusters

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/vitistack/kubevirt-multicluster/clientmgr/transport"
)

// place stands for what comes from a Secret, in errors of the network.
const place = "secret.example.com"

func dialled(err error) error {
	return &url.Error{Op: "Get", URL: "https://" + place, Err: &net.OpError{Op: "dial", Net: "tcp", Err: err}}
}

func TestDescribeTellsNoPlace(t *testing.T) {
	cases := map[string]struct {
		reason string
		err    error
		want   string
	}{
		"refused":  {"nothing listens", dialled(syscall.ECONNREFUSED), "connection refused"},
		"reset":    {"a firewall", dialled(syscall.ECONNRESET), "the connection broke off"},
		"cut":      {"in the middle of an answer", dialled(io.ErrUnexpectedEOF), "the connection broke off"},
		"no route": {"a partition has no way to the server", dialled(syscall.EHOSTUNREACH), "no route to the server"},
		"name": {"its text has the name", dialled(&net.DNSError{Name: place, Err: "no such host"}),
			"the server's name cannot be resolved"},
		"late": {"a black hole", dialled(context.DeadlineExceeded), "no answer in time"},
		"untrusted": {"its text has names of the certificate", dialled(&tls.CertificateVerificationError{
			Err: x509.HostnameError{Host: place, Certificate: &x509.Certificate{}},
		}), "the server's certificate is not trusted"},
		"no TLS": {"another port", dialled(tls.RecordHeaderError{Msg: place}), "the server does not speak TLS"},
		"alert":  {"the server does not like us", dialled(tls.AlertError(42)), "the TLS handshake was refused"},
		"busy":   {"our own limit", fmt.Errorf("x: %w", transport.ErrBusy), "too many calls in flight"},
		"closed": {"dropped meanwhile", dialled(transport.ErrClosed), "the connection was closed"},
		"other":  {"whatever comes next year", dialled(errors.New(place)), "the server cannot be reached"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, describe(tc.err)); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
			if told := fmt.Sprintf("%v %+v", callError(called{"cluster", "east"}, tc.err), callError(called{"cluster", "east"}, tc.err)); strings.Contains(told,
				place) {
				t.Errorf("the call's error tells where the cluster is: %s", told)
			}
		})
	}
}

func TestCallError(t *testing.T) {
	vms := schema.GroupResource{Group: "kubevirt.io", Resource: "virtualmachines"}
	cases := map[string]struct {
		reason   string
		err      error
		is       error // sentinel, nil for none
		notFound bool
	}{
		"none":           {"a call that succeeded", nil, nil, false},
		"no such object": {"the server's own word", apierrors.NewNotFound(vms, "vm-web"), nil, true},
		"404 of a proxy": {"a page of some load balancer is no word about the object", apierrors.NewGenericServerResponse(
			http.StatusNotFound, "get", vms, "vm-web", "default backend", 0, true), ErrKindNotServed, false},
		"404 about the path": {"the definition is gone, and the objects with it or not", apierrors.NewGenericServerResponse(
			http.StatusNotFound, "list", vms, "", "404 page not found", 0, true), ErrKindNotServed, false},
		"404 without details": {"not about an object",
			&apierrors.StatusError{ErrStatus: *statusWithout(apierrors.NewNotFound(vms, "vm-web"))}, ErrKindNotServed, false},
		"no such kind": {"known from discovery", &meta.NoKindMatchError{GroupKind: schema.GroupKind{Group: "kubevirt.io",
			Kind: "VirtualMachine"}}, ErrKindNotServed, false},
		"401": {"a credential refused is contact lost", apierrors.NewUnauthorized("no"), ErrUnauthorized,
			false},
		"403": {"never NotFound", apierrors.NewForbidden(vms, "vm-web", errors.New("no")), ErrForbidden,
			false},
		"conflict": {"the reconciler's own business", apierrors.NewConflict(vms, "vm-web", errors.New("x")), nil,
			false},
		"network":   {"nobody answered", dialled(syscall.ECONNREFUSED), ErrNotConnected, false},
		"cancelled": {"the caller went away", dialled(context.Canceled), context.Canceled, false},
		"late": {"the caller's deadline or ours", dialled(context.DeadlineExceeded), context.DeadlineExceeded,
			false},
		"busy": {"our own limit is told from the cluster's silence", fmt.Errorf("x: %w", transport.ErrBusy),
			ErrBusy, false},
		"busy is no answer": {"who waits for an answer goes on waiting", fmt.Errorf("x: %w", transport.ErrBusy),
			ErrNotConnected, false},
		"programming error": {"not the cluster's", errors.New("no kind registered"), nil, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := callError(called{"cluster", "east"}, tc.err)
			var unanswered *CallError
			if isCallError := errors.As(got, &unanswered); isCallError != (tc.is != nil) {
				t.Errorf("%s: a *CallError: %t, got %v", tc.reason, isCallError, got)
			}
			if tc.is != nil && !errors.Is(got, tc.is) {
				t.Errorf("%s: want %v in the chain of %v", tc.reason, tc.is, got)
			}
			if found := apierrors.IsNotFound(got); found != tc.notFound {
				t.Errorf("%s: reads as NotFound: %t", tc.reason, found)
			}
		})
	}
}

func statusWithout(err *apierrors.StatusError) *metav1.Status {
	status := err.Status()
	status.Details = nil
	return &status
}

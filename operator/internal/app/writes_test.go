package app

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// silence holds back what watches tell once it is set. It is a RoundTripper's.
type silence struct{ atomic.Bool }

func (s *silence) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		response, err := next.RoundTrip(request)
		watch, _ := strconv.ParseBool(request.URL.Query().Get("watch"))
		if err == nil && watch {
			response.Body = &heldBack{ReadCloser: response.Body, silence: s, ended: request.Context().Done()}
		}
		return response, err
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (r roundTripper) RoundTrip(request *http.Request) (*http.Response, error) { return r(request) }

type heldBack struct {
	io.ReadCloser
	silence *silence
	ended   <-chan struct{}
}

// Read implements io.Reader.
func (h *heldBack) Read(into []byte) (int, error) {
	n, err := h.ReadCloser.Read(into)
	if h.silence.Load() {
		<-h.ended
		return 0, io.EOF
	}
	return n, err
}

// TestReadsNeverWaitForEvents: the event of a write may never come. With controller-runtime's own
// consistent reads every list of Machines then waited, and with it the goroutine that delivers the
// events of all clusters. Reads of the operator show its own writes all the same.
func TestReadsNeverWaitForEvents(t *testing.T) {
	t.Parallel()
	cluster := newSupervisor(t, "silent")
	options := Options{MetricsAddress: "0", ProbeAddress: "0", WatchSelector: labels.Everything()}
	options.Machine.ConfigsNamespace = "default"
	quiet := &silence{}
	newCache := func(config *rest.Config, options cache.Options) (_ cache.Cache, err error) {
		config = rest.CopyConfig(config)
		config.Wrap(quiet.wrap)
		if options.HTTPClient, err = rest.HTTPClientFor(config); err != nil {
			return nil, err
		}
		return cache.New(config, options)
	}
	mgr, err := NewManager(cluster.Config(), options, newCache)
	must(t, err)
	supervisor, err := readingItsWrites(mgr)
	must(t, err)
	start(t, mgr)
	before := create(t, supervisor, "web")
	until(t, func() string {
		err := mgr.GetCache().Get(t.Context(), client.ObjectKeyFromObject(before), &vitistackv1alpha1.Machine{})
		if err != nil {
			return err.Error()
		}
		return ""
	})

	quiet.Store(true)
	written := before.DeepCopy()
	metav1.SetMetaDataAnnotation(&written.ObjectMeta, "example.com/touched", "yes")
	must(t, supervisor.Patch(t.Context(), written, client.MergeFrom(before)))
	made := create(t, supervisor, "db")
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, want := range []*vitistackv1alpha1.Machine{written, made} {
		got := &vitistackv1alpha1.Machine{}
		err := supervisor.Get(ctx, client.ObjectKeyFromObject(want), got)
		if err != nil || got.ResourceVersion != want.ResourceVersion {
			t.Errorf("Machine %s is read in version %q, was written as %q: %v",
				want.Name, got.ResourceVersion, want.ResourceVersion, err)
		}
	}
	machines := &vitistackv1alpha1.MachineList{}
	if err := mgr.GetCache().List(ctx, machines); err != nil {
		t.Errorf("events cannot be mapped while a write has no event: %v", err)
	}
	if len(machines.Items) != 1 {
		t.Errorf("the cache has %d Machines: the stream is not held back, and the test shows nothing", len(machines.Items))
	}
}

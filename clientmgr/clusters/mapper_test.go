package clusters

import (
	"net/http"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"github.com/vitistack/kubevirt-multicluster/testkit/hostile"
)

// asked is a transport that notes the paths that were asked for, and what was accepted.
type asked struct {
	http.RoundTripper
	mu       sync.Mutex
	paths    []string
	accepted []string
}

func (a *asked) RoundTrip(req *http.Request) (*http.Response, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.paths, a.accepted = append(a.paths, req.URL.Path), append(a.accepted, req.Header.Get("Accept"))
	return a.RoundTripper.RoundTrip(req)
}

// newTestMapper returns the mapper of a server that serves two kinds of one version and one of
// another group.
func newTestMapper(t *testing.T) (*mapper, *hostile.Server, *asked) {
	t.Helper()
	server := hostile.New("uid",
		hostile.Resource{Version: "v1", Plural: "configmaps", Kind: "ConfigMap"},
		hostile.Resource{Group: "kubevirt.io", Version: "v1", Plural: "virtualmachines", Kind: "VirtualMachine"},
		hostile.Resource{Group: "kubevirt.io", Version: "v1", Plural: "kubevirts", Kind: "KubeVirt"})
	t.Cleanup(server.Close)
	through := &asked{RoundTripper: server.Client().Transport}
	m, err := newMapper(&rest.Config{Host: server.URL, QPS: -1}, &http.Client{Transport: through})
	if err != nil {
		t.Fatal(err)
	}
	return m, server, through
}

var virtualMachine = schema.GroupVersionKind{Group: "kubevirt.io", Version: "v1", Kind: "VirtualMachine"}

func TestMapperKeepsWhatWasAskedFor(t *testing.T) {
	m, _, through := newTestMapper(t)
	for range 2 {
		mapping, err := m.RESTMapping(virtualMachine.GroupKind(), virtualMachine.Version)
		if err != nil {
			t.Fatal(err)
		}
		if mapping.GroupVersionKind != virtualMachine || mapping.Resource.Resource != "virtualmachines" ||
			mapping.Scope.Name() != meta.RESTScopeNameNamespace {
			t.Errorf("got %+v", mapping)
		}
	}
	if got := strings.Join(through.paths, " "); got != "/apis/kubevirt.io/v1" {
		t.Errorf("one question is enough for ever, and nothing else is asked: got %s", got)
	}
	kept := 0
	m.known.Range(func(any, any) bool { kept++; return true })
	if kept != 1 {
		t.Errorf("of a version with two kinds the one that was asked for is kept: got %d", kept)
	}
}

func TestMapperFindsKindsThatAppear(t *testing.T) {
	cases := map[string]struct {
		reason string
		status int
		absent bool
	}{
		"no such version": {reason: "the definition is not installed yet", status: http.StatusNotFound, absent: true},
		"no answer":       {reason: "a server that fails has not said that it lacks a kind", status: http.StatusBadGateway},
		"forbidden":       {reason: "a right that is missing is no absence", status: http.StatusForbidden},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m, server, _ := newTestMapper(t)
			server.Be(hostile.Discover, func(w http.ResponseWriter, _ *http.Request, _ hostile.Resource) {
				w.WriteHeader(tc.status)
			})
			if _, err := m.RESTMapping(virtualMachine.GroupKind(), "v1"); err == nil || meta.IsNoMatchError(err) != tc.absent {
				t.Errorf("%s: want no match %t, got %v", tc.reason, tc.absent, err)
			}
			server.Be(hostile.Discover, nil)
			if _, err := m.RESTMapping(virtualMachine.GroupKind(), "v1"); err != nil {
				t.Errorf("%s: it is there now: %v", tc.reason, err)
			}
		})
	}
	m, _, _ := newTestMapper(t)
	_, err := m.RESTMapping(schema.GroupKind{Group: "kubevirt.io", Kind: "Other"}, "v1")
	if !meta.IsNoMatchError(err) || !strings.Contains(err.Error(), "Other") {
		t.Errorf("a version without the kind: the error names it: got %v", err)
	}
}

func TestMapperAnswersEverythingElse(t *testing.T) {
	m, _, through := newTestMapper(t)
	mapping, err := m.RESTMapping(virtualMachine.GroupKind())
	if err != nil || mapping.GroupVersionKind != virtualMachine {
		t.Errorf("without a version: got %+v, %v", mapping, err)
	}
	kind, err := m.KindFor(schema.GroupVersionResource{Group: "kubevirt.io", Version: "v1", Resource: "kubevirts"})
	if err != nil || kind.Kind != "KubeVirt" {
		t.Errorf("from a resource: got %v, %v", kind, err)
	}
	if got := strings.Join(through.accepted, " "); strings.Contains(got, "APIGroupDiscoveryList") {
		t.Errorf("a server must not answer with all that it serves: got %s", got)
	}
}

package page_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/api/rbac"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/app"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/page"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/page/access"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/page/feed"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/page/view"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
)

// served is a page with the supervisor's caches, and a browser without a screen.
type served struct {
	t      *testing.T
	url    string
	client *http.Client
	feed   *feed.Feed
	cache  *counting
}

// setting is what a test changes of a page.
type setting struct {
	access access.Options
	page   page.Options
	feed   feed.Options
	// gate is who asks the supervisor about people. Default: the operator, with the rights of api/rbac.
	gate *rest.Config
}

func serve(t *testing.T, s setting) *served {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	config := operator(t)
	if s.gate == nil {
		s.gate = config
	}
	scheme, err := app.NewScheme()
	must(t, err)
	httpClient, err := rest.HTTPClientFor(s.gate)
	must(t, err)
	byObject := clientmgr.SupervisorCache(true, configsNamespace)
	caches, err := cache.New(config, cache.Options{Scheme: scheme, ByObject: byObject})
	must(t, err)
	counted := &counting{Cache: caches}
	s.access.ConfigsNamespace = configsNamespace
	s.page.Gate, err = access.New(s.gate, httpClient, s.access)
	must(t, err)
	s.page.Feed = feed.New(counted, s.feed)
	if s.page.Address == "" {
		s.page.Address = "127.0.0.1:0"
	}
	urls := make(chan string, 1)
	s.page.Serving = func(url string) { urls <- url }
	server, err := page.New(s.page)
	must(t, err)
	ended := make(chan error, 2)
	go func() { ended <- caches.Start(ctx) }()
	go func() { ended <- server.Start(ctx) }()
	for _, object := range []client.Object{&vitistackv1alpha1.Machine{}, &vitistackv1alpha1.KubevirtConfig{}} {
		_, err := caches.GetInformer(ctx, object)
		must(t, err)
	}
	jar, err := cookiejar.New(nil)
	must(t, err)
	trusting := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // the page's own certificate
	transport := &http.Transport{TLSClientConfig: trusting}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		cancel()
		for range 2 {
			select {
			case err := <-ended:
				must(t, err)
			case <-time.After(30 * time.Second):
				t.Fatal("the page does not end")
			}
		}
	})
	select {
	case url := <-urls:
		browser := &http.Client{Jar: jar, Transport: transport}
		return &served{t: t, url: url, feed: s.page.Feed, cache: counted, client: browser}
	case err := <-ended:
		t.Fatalf("the page is not served: %v", err)
		return nil
	}
}

// operator is the operator's user with the rights of api/rbac alone, those for the page included.
func operator(t *testing.T) *rest.Config {
	t.Helper()
	for _, stream := range [][]byte{rbac.Supervisor, rbac.Page} {
		applyAll(t, stream)
	}
	config, err := world.plane.ConfigFor(controlplane.User{
		Name: "system:serviceaccount:kubevirt-operator:kubevirt-operator", Groups: []string{"system:serviceaccounts"},
	})
	must(t, err)
	return config
}

func applyAll(t *testing.T, stream []byte) {
	t.Helper()
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(stream), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return
		}
		must(t, err)
		if len(object.Object) > 0 {
			must(t, world.admin.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(object),
				client.FieldOwner("test"), client.ForceOwnership))
		}
	}
}

// counting counts the handlers that are on the informers of a cache.
type counting struct {
	cache.Cache
	handlers, added atomic.Int64
}

func (c *counting) GetInformer(
	ctx context.Context, object client.Object, opts ...cache.InformerGetOption,
) (cache.Informer, error) {
	informer, err := c.Cache.GetInformer(ctx, object, opts...)
	return &countedInformer{informer, c}, err
}

type countedInformer struct {
	cache.Informer
	of *counting
}

func (c *countedInformer) AddEventHandler(
	handler toolscache.ResourceEventHandler,
) (toolscache.ResourceEventHandlerRegistration, error) {
	c.of.handlers.Add(1)
	c.of.added.Add(1)
	return c.Informer.AddEventHandler(handler)
}

func (c *countedInformer) RemoveEventHandler(handle toolscache.ResourceEventHandlerRegistration) error {
	c.of.handlers.Add(-1)
	return c.Informer.RemoveEventHandler(handle)
}

// answer is what came back.
type answer struct {
	code   int
	body   string
	header http.Header
}

func (s *served) do(method, path string, header map[string]string, form url.Values) answer {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), method, s.url+strings.TrimPrefix(path, "/"),
		strings.NewReader(form.Encode()))
	must(s.t, err)
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := s.client.Do(request)
	must(s.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	must(s.t, err)
	return answer{response.StatusCode, string(body), response.Header}
}

func (s *served) get(path string, header map[string]string) answer {
	s.t.Helper()
	return s.do(http.MethodGet, path, header, nil)
}

func bearer(token string) map[string]string {
	return map[string]string{"Authorization": "Bearer " + token}
}

// fleet decodes what /fleet.json says.
func (a answer) fleet(t *testing.T) view.Fleet {
	t.Helper()
	var fleet view.Fleet
	if a.code != http.StatusOK {
		t.Fatalf("%d: %s", a.code, a.body)
	}
	must(t, json.Unmarshal([]byte(a.body), &fleet))
	return fleet
}

// event is a server-sent event.
type event struct{ name, data string }

// listen begins a stream, and returns what it sends. The channel is closed when the stream ends.
func (s *served) listen(header map[string]string) (events <-chan event, stop func()) {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"events", http.NoBody)
	must(s.t, err)
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := s.client.Do(request)
	must(s.t, err)
	if response.StatusCode != http.StatusOK {
		body, _ := io.ReadAll(response.Body)
		s.t.Fatalf("%d: %s", response.StatusCode, body)
	}
	all := make(chan event, 1000)
	go func() {
		defer close(all)
		defer response.Body.Close()
		reader := bufio.NewReader(response.Body)
		var now event
		for {
			line, err := reader.ReadString('\n')
			if err != nil {
				return
			}
			switch name, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": "); name {
			case "event":
				now.name = value
			case "data":
				now.data = value
				all <- now
			}
		}
	}()
	return all, cancel
}

// next waits for an event.
func next(t *testing.T, events <-chan event) event {
	t.Helper()
	select {
	case e, open := <-events:
		if !open {
			t.Fatal("the stream has ended")
		}
		return e
	case <-time.After(30 * time.Second):
		t.Fatal("no event within 30 s")
		return event{}
	}
}

// withCertificate is the same page for a client with a certificate.
func (s *served) withCertificate(pair controlplane.KeyPair) *served {
	s.t.Helper()
	certificate, err := tls.X509KeyPair(pair.Cert, pair.Key)
	must(s.t, err)
	transport := &http.Transport{TLSClientConfig: &tls.Config{ //nolint:gosec // its own certificate
		InsecureSkipVerify: true, Certificates: []tls.Certificate{certificate}}}
	s.t.Cleanup(transport.CloseIdleConnections)
	other := *s
	other.client = &http.Client{Transport: transport}
	return &other
}

func names(fleet view.Fleet) string {
	var all []string
	for _, machine := range fleet.Machines {
		all = append(all, machine.Namespace+"/"+machine.Name)
	}
	for _, cluster := range fleet.Clusters {
		all = append(all, cluster.Name)
	}
	return strings.Join(all, " ")
}

package agent

import (
	"context"
	"crypto/x509"
	"errors"
	"maps"
	"path/filepath"
	"sync"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/contents"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/exports"
)

// servers run virt-exportserver for the Pods of exports.
type servers struct {
	options   Exports
	authority *x509.CertPool
	cached    client.Reader
	live      client.Reader // for what is in Secrets
	contents  *contents.Store
	services  *exports.Names
	ends      chan event.GenericEvent // Pods whose server has ended
	closed    context.Context         // done when nobody reads ends any more
	close     context.CancelFunc

	lockedServers
}

// lockedServers are those that were started and not stopped, by their Pods.
type lockedServers struct {
	mu   sync.Mutex
	pods map[types.NamespacedName]*podServer
}

// podServer is the server of one Pod.
type podServer struct {
	*exports.Server
	pod types.UID
}

func newServers(
	options Exports, cached, live client.Reader, store *contents.Store, services *exports.Names,
) (*servers, error) {
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(options.Authority) {
		return nil, errors.New("the authority of exports is no certificate")
	}
	closed, end := context.WithCancel(context.Background())
	return &servers{
		options: options, authority: pool, cached: cached, live: live, contents: store, services: services,
		ends: make(chan event.GenericEvent), closed: closed, close: end,
		lockedServers: lockedServers{pods: map[types.NamespacedName]*podServer{}},
	}, nil
}

// of returns the server of a Pod, or nil.
func (s *servers) of(pod *corev1.Pod) *podServer {
	s.mu.Lock()
	defer s.mu.Unlock()
	if server := s.pods[keyOf(pod)]; server != nil && server.pod == pod.UID {
		return server
	}
	return nil
}

// all returns every server.
func (s *servers) all() map[types.NamespacedName]*podServer {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.pods)
}

// start starts the server of a Pod, in place of one that a Pod of its name had before. It is nil
// where something that the Pod mounts is not there yet.
func (s *servers) start(ctx context.Context, pod *corev1.Pod) (*podServer, error) {
	if err := s.stop(keyOf(pod)); err != nil {
		return nil, err
	}
	files, err := s.files(ctx, pod)
	if err != nil || files == nil {
		return nil, err
	}
	dir := filepath.Join(s.options.Dir, string(pod.UID))
	env, err := s.env(ctx, pod, dir)
	if err != nil || env == nil {
		return nil, err
	}
	server, err := exports.StartServer(exports.Spec{
		Name: pod.Namespace + "/" + pod.Name, Program: s.options.Program, Dir: dir, Log: s.options.Log,
		Env: env, Files: files, Host: exports.ServiceHost(serviceOf(pod), pod.Namespace), Authority: s.authority,
	})
	if err != nil {
		return nil, err
	}
	s.add(pod, &podServer{Server: server, pod: pod.UID})
	return s.of(pod), nil
}

func (s *servers) add(pod *corev1.Pod, server *podServer) {
	s.mu.Lock()
	s.pods[keyOf(pod)] = server
	s.mu.Unlock()
	s.services.Set(server.Host(), server.Address())
	go func() {
		<-server.Done()
		wake(s.closed, s.ends, keyOf(pod))
	}()
}

// stop ends the server of a Pod, if it has one.
func (s *servers) stop(pod types.NamespacedName) error {
	s.mu.Lock()
	server := s.pods[pod]
	delete(s.pods, pod)
	s.mu.Unlock()
	if server == nil {
		return nil
	}
	s.services.Set(server.Host(), "")
	return server.Stop()
}

// stopAll ends all servers.
func (s *servers) stopAll() error {
	s.close()
	var errs []error
	for pod := range s.all() {
		errs = append(errs, s.stop(pod))
	}
	return errors.Join(errs...)
}

// each does something with every server.
func (s *servers) each(do func(*exports.Server) error) {
	for _, server := range s.all() {
		_ = do(server.Server) // one that has ended
	}
}

// refresh gives a server what has become of the Secrets that its Pod mounts.
func (s *servers) refresh(ctx context.Context, pod *corev1.Pod, server *podServer) error {
	files, err := s.files(ctx, pod)
	if err != nil || files == nil {
		return err
	}
	return server.WriteFiles(files)
}

// podsOfSecret returns the Pods with servers of a Secret's namespace: it may be one that they mount.
func (s *servers) podsOfSecret(_ context.Context, secret client.Object) []reconcile.Request {
	var requests []reconcile.Request
	for pod := range s.all() {
		if pod.Namespace == secret.GetNamespace() {
			requests = append(requests, reconcile.Request{NamespacedName: pod})
		}
	}
	return requests
}

package agent

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
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

// mounted are the Secrets that a Pod mounts, by the folder that it has them in.
func mounted(pod *corev1.Pod) map[string]string {
	secrets := map[string]string{}
	for _, volume := range pod.Spec.Volumes {
		for _, mount := range pod.Spec.Containers[0].VolumeMounts {
			if volume.Secret != nil && mount.Name == volume.Name {
				secrets[mount.MountPath] = volume.Secret.SecretName
			}
		}
	}
	return secrets
}

// files are what a Pod mounts of Secrets, by their paths; nil where one is not there.
func (s *servers) files(ctx context.Context, pod *corev1.Pod) (map[string][]byte, error) {
	files := map[string][]byte{}
	for folder, name := range mounted(pod) {
		secret := &corev1.Secret{}
		if err := s.live.Get(ctx, client.ObjectKey{Namespace: pod.Namespace, Name: name}, secret); err != nil {
			return nil, client.IgnoreNotFound(err)
		}
		for key, value := range secret.Data {
			files[filepath.Join(folder, key)] = value
		}
	}
	return files, nil
}

// env is the environment of a Pod's container, with the paths that its mounts have on this machine;
// nil where a claim is not bound.
func (s *servers) env(ctx context.Context, pod *corev1.Pod, dir string) ([]string, error) {
	disks, err := s.disks(ctx, pod)
	if err != nil || disks == nil {
		return nil, err
	}
	folders := mounted(pod)
	env := []string{"POD_NAME=" + pod.Name}
	for _, variable := range pod.Spec.Containers[0].Env {
		value := variable.Value
		if disk, isDisk := disks[value]; isDisk {
			value = disk
		} else if _, isFile := folders[filepath.Dir(value)]; isFile && strings.HasSuffix(variable.Name, "_FILE") {
			value = filepath.Join(dir, value)
		}
		if variable.ValueFrom == nil {
			env = append(env, variable.Name+"="+value)
		}
	}
	return env, nil
}

// disks are the files of what a Pod mounts of claims, or their folders, by the paths in its
// container; nil where a claim is not bound.
func (s *servers) disks(ctx context.Context, pod *corev1.Pod) (map[string]string, error) {
	claims := map[string]string{}
	for _, volume := range pod.Spec.Volumes {
		if volume.PersistentVolumeClaim != nil {
			claims[volume.Name] = volume.PersistentVolumeClaim.ClaimName
		}
	}
	disks := map[string]string{}
	add := func(volume, path string, file func(contents.Disk) string) error {
		claim := &corev1.PersistentVolumeClaim{}
		key := client.ObjectKey{Namespace: pod.Namespace, Name: claims[volume]}
		if err := s.cached.Get(ctx, key, claim); err != nil {
			return err
		}
		if claim.Status.Phase != corev1.ClaimBound {
			return errNotBound
		}
		disk, err := diskOf(s.contents, claim)
		disks[path] = file(disk)
		return err
	}
	var errs []error
	for _, device := range pod.Spec.Containers[0].VolumeDevices {
		errs = append(errs, add(device.Name, device.DevicePath, contents.Disk.Path))
	}
	for _, mount := range pod.Spec.Containers[0].VolumeMounts {
		if claims[mount.Name] != "" {
			errs = append(errs, add(mount.Name, mount.MountPath, contents.Disk.Dir))
		}
	}
	err := errors.Join(errs...)
	if errors.Is(err, errNotBound) {
		return nil, nil
	}
	return disks, err
}

// errNotBound is why a Pod cannot mount its claims yet.
var errNotBound = errors.New("a claim is not bound")

// diskOf returns the content of a claim.
func diskOf(store *contents.Store, claim *corev1.PersistentVolumeClaim) (contents.Disk, error) {
	recipe, err := contents.RecipeFor(claim)
	if err != nil {
		return contents.Disk{}, fmt.Errorf("disk of claim %s: %w", claim.Name, err)
	}
	return store.Make(claim.UID, recipe)
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

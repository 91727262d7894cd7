package browser

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/api/rbac"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clientmgr/clusters"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/compatibility"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/app"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// configNames are those of all clusters, the first is the real one.
var configNames = []string{"cluster-east", "cluster-north", "cluster-south", "cluster-west", "lab"}

// addStandIns adds four clusters: each is the remote control plane behind a proxy that changes the
// UID of kube-system in what it answers, which is what tells clusters apart.
func addStandIns(ctx context.Context) (stop func(), err error) {
	var servers []*http.Server
	stop = func() {
		for _, server := range servers {
			_ = server.Close() // it holds nothing
		}
	}
	supervisor, remote := world.fleet.Supervisor.Client(), world.fleet.Remotes[0]
	secret := &corev1.Secret{}
	key := client.ObjectKey{Namespace: fleet.ConfigsNamespace, Name: fleet.SecretName(remote.Name)}
	if err := supervisor.Get(ctx, key, secret); err != nil {
		return stop, err
	}
	system := &corev1.Namespace{}
	if err := remote.Client().Get(ctx, client.ObjectKey{Name: "kube-system"}, system); err != nil {
		return stop, err
	}
	for i, name := range configNames[1:] {
		uid := string(system.UID)
		server, address, err := startStandIn(remote.ControlPlane, uid, fmt.Sprintf("%08d%s", i+1, uid[8:]))
		if err != nil {
			return stop, err
		}
		servers = append(servers, server)
		kubeconfig, err := clientcmd.Load(secret.Data[vitistackv1alpha1.KubeconfigSecretKey])
		if err != nil {
			return stop, err
		}
		for _, cluster := range kubeconfig.Clusters {
			cluster.Server = "https://" + address
		}
		written, err := clientcmd.Write(*kubeconfig)
		if err != nil {
			return stop, err
		}
		for _, object := range []client.Object{
			&corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{Namespace: fleet.ConfigsNamespace, Name: fleet.SecretName(name)},
				Data:       map[string][]byte{vitistackv1alpha1.KubeconfigSecretKey: written},
			},
			&vitistackv1alpha1.KubevirtConfig{
				ObjectMeta: metav1.ObjectMeta{Namespace: fleet.ConfigsNamespace, Name: name},
				Spec: vitistackv1alpha1.KubevirtConfigSpec{Name: name, KubeconfigSecretRef: fleet.SecretName(name),
					Paused: name == "lab"},
			},
		} {
			if err := supervisor.Create(ctx, object); err != nil {
				return stop, err
			}
		}
	}
	return stop, nil
}

// letRoomBeSeen lets the operator list nodes and pods in the remote control plane, which api/rbac
// does not: then the page has the room of clusters.
func letRoomBeSeen(ctx context.Context) error {
	c := world.fleet.Remotes[0].Client()
	return errors.Join(
		c.Create(ctx, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "room"}, Rules: []rbacv1.PolicyRule{{
			APIGroups: []string{""}, Resources: []string{"nodes", "pods"}, Verbs: []string{"list"},
		}}}),
		c.Create(ctx, &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "room"},
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "room"},
			Subjects: []rbacv1.Subject{{Kind: "Group", APIGroup: rbacv1.GroupName, Name: "system:authenticated"}}}),
	)
}

// startStandIn serves a control plane once more, with another UID. Both UIDs are of one length, so
// that the answer may be in any format.
func startStandIn(plane *controlplane.Cluster, uid, other string) (*http.Server, string, error) {
	files := plane.Files()
	certificate, err := tls.LoadX509KeyPair(files.ServingCert, files.ServingKey)
	if err != nil {
		return nil, "", err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	transport, err := rest.TransportFor(&rest.Config{Host: "https://" + plane.Addr(),
		TLSClientConfig: rest.TLSClientConfig{CAFile: files.ServingCA}})
	if err != nil {
		return nil, "", err
	}
	proxy := &httputil.ReverseProxy{
		ErrorLog:  log.New(io.Discard, "", 0), // of calls that are given up
		Transport: transport, FlushInterval: -1,
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(&url.URL{Scheme: "https", Host: plane.Addr()})
			r.Out.Header.Del("Accept-Encoding")
		},
		ModifyResponse: func(response *http.Response) error {
			if !strings.HasSuffix(response.Request.URL.Path, "/namespaces/kube-system") {
				return nil
			}
			body, err := io.ReadAll(response.Body)
			response.Body = io.NopCloser(bytes.NewReader(bytes.ReplaceAll(body, []byte(uid), []byte(other))))
			return err
		},
	}
	serving := &tls.Config{Certificates: []tls.Certificate{certificate}} //nolint:gosec // a test's
	server := &http.Server{Handler: proxy, TLSConfig: serving}           //nolint:gosec // a test's
	go func() { _ = server.ServeTLS(listener, "", "") }()
	return server, listener.Addr().String(), nil
}

// startPage runs what the operator has but the reconciler of Machines: the connections, the writer
// of the KubevirtConfigs' status, and the page, with the operator's own rights.
func startPage(ctx context.Context) (ended <-chan error, err error) {
	if err := apply(ctx, rbac.Page); err != nil {
		return nil, err
	}
	config, err := app.RestConfig(world.fleet.OperatorKubeconfig())
	if err != nil {
		return nil, err
	}
	port, err := controlplane.FreePort()
	if err != nil {
		return nil, err
	}
	options := app.Options{MetricsAddress: "0", ProbeAddress: "0", ClusterCacheMiB: 64, WatchSelector: labels.Everything()}
	options.Machine.ConfigsNamespace = fleet.ConfigsNamespace
	options.Page.Address = fmt.Sprintf("127.0.0.1:%d", port)
	world.url = "http://" + options.Page.Address + "/"
	mgr, err := app.NewManager(config, options, cache.New)
	if err != nil {
		return nil, err
	}
	if err := mgr.GetFieldIndexer().IndexField(ctx, &vitistackv1alpha1.Machine{}, clientmgr.IndexConfig,
		clientmgr.ByConfig); err != nil {
		return nil, err
	}
	connections := app.RemoteOptions(options, "browser-test", mgr.GetAPIReader())
	connections.Registerer = prometheus.NewRegistry()
	connections.Probe = clusters.Probe{Interval: time.Second, Timeout: 5 * time.Second}
	connections.BackoffMax = 2 * time.Second
	remotes, err := clientmgr.NewKubevirtClientManager(mgr.GetClient(), mgr.GetCache(), connections)
	if err != nil {
		return nil, err
	}
	schemas, err := compatibility.New()
	if err != nil {
		return nil, err
	}
	status := clusterstatus.NewReconciler(mgr.GetClient(), remotes, clusterstatus.Options{
		ConfigsNamespace: fleet.ConfigsNamespace, Live: mgr.GetAPIReader(), Schemas: schemas,
		Registerer: prometheus.NewRegistry(),
	})
	if err := errors.Join(mgr.Add(remotes), status.SetupWithManager(mgr), app.AddPage(mgr, options, remotes)); err != nil {
		return nil, err
	}
	stopped := make(chan error, 1)
	go func() { stopped <- mgr.Start(ctx) }()
	return stopped, nil
}

// newViewer returns the token of a person who may list Machines and KubevirtConfigs, and nothing
// else.
func newViewer(ctx context.Context) (string, error) {
	c := world.fleet.Supervisor.Client()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "fleet-viewer"}}
	request := &authenticationv1.TokenRequest{}
	err := errors.Join(
		c.Create(ctx, account),
		c.Create(ctx, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: "fleet-viewer"}, Rules: []rbacv1.PolicyRule{{
			APIGroups: []string{"vitistack.io"}, Resources: []string{"machines", "kubevirtconfigs"}, Verbs: []string{"list"},
		}}}),
		c.Create(ctx, &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "fleet-viewer"},
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "fleet-viewer"},
			Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: "default", Name: "fleet-viewer"}}}),
		c.SubResource("token").Create(ctx, account, request),
	)
	return request.Status.Token, err
}

func apply(ctx context.Context, stream []byte) error {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(stream), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil || len(object.Object) == 0 {
			return err
		}
		if err := world.fleet.Supervisor.Client().Apply(ctx, client.ApplyConfigurationFromUnstructured(object),
			client.FieldOwner("test"), client.ForceOwnership); err != nil {
			return err
		}
	}
}

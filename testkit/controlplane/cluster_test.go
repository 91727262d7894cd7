package controlplane

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

// patience is for one thing that is waited for, on a loaded machine.
const patience = time.Minute

// TestCluster takes one cluster through its life: each step finds what the one before left.
func TestCluster(t *testing.T) {
	audit := filepath.Join(t.TempDir(), "audit.log")
	c := New(t, Options{Name: "cluster-east", AuditLog: audit})
	admin := clientset(t, c.Config())
	snapshot := filepath.Join(t.TempDir(), "snapshot.db")

	t.Run("authorizes by RBAC", func(t *testing.T) {
		config, err := c.ConfigFor(User{Name: "nobody-in-particular"})
		if err != nil {
			t.Fatal(err)
		}
		_, err = clientset(t, config).CoreV1().Secrets("default").List(t.Context(), metav1.ListOptions{})
		if !apierrors.IsForbidden(err) {
			t.Errorf("listing Secrets without a right: %v", err)
		}
	})
	t.Run("writes an audit log", func(t *testing.T) {
		content, err := os.ReadFile(audit)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(content), `"user":{"username":"nobody-in-particular"`) {
			t.Error("the audit log has nothing of the user's request")
		}
	})
	t.Run("collects what an object owned", func(t *testing.T) {
		owner := put(t, admin, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "owner"}})
		put(t, admin, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "owned", OwnerReferences: []metav1.OwnerReference{
			{APIVersion: "v1", Kind: "ConfigMap", Name: owner.Name, UID: owner.UID},
		}}})
		if err := admin.CoreV1().ConfigMaps("default").Delete(t.Context(), owner.Name, metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		eventually.Eventually(t, patience, "the owned ConfigMap is collected", func(ctx context.Context) error {
			_, err := admin.CoreV1().ConfigMaps("default").Get(ctx, "owned", metav1.GetOptions{})
			return absent(err)
		})
	})
	t.Run("empties a namespace that is deleted", func(t *testing.T) {
		namespaces := admin.CoreV1().Namespaces()
		if _, err := namespaces.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "brief"}},
			metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
		if err := namespaces.Delete(t.Context(), "brief", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		eventually.Eventually(t, patience, "the namespace is gone", func(ctx context.Context) error {
			_, err := namespaces.Get(ctx, "brief", metav1.GetOptions{})
			return absent(err)
		})
	})
	t.Run("frozen, does not answer until thawed", func(t *testing.T) {
		if err := c.Freeze(); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		defer cancel()
		if _, err := admin.CoreV1().Namespaces().List(ctx, metav1.ListOptions{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("listing in a frozen cluster: %v", err)
		}
		if err := c.Thaw(); err != nil {
			t.Fatal(err)
		}
		eventually.Eventually(t, patience, "the thawed cluster answers", func(ctx context.Context) error {
			_, err := admin.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
			return err
		})
	})
	t.Run("killed, comes back with its data at its address", func(t *testing.T) {
		put(t, admin, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "before"}})
		if err := c.Snapshot(t.Context(), snapshot); err != nil {
			t.Fatal(err)
		}
		if err := c.Kill(); err != nil {
			t.Fatal(err)
		}
		if c.Running() {
			t.Error("it still has processes")
		}
		if err := c.Launch(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !has(t, admin, "before") {
			t.Error("the ConfigMap is gone")
		}
	})
	t.Run("refuses a second launch", func(t *testing.T) {
		if err := c.Launch(t.Context()); err == nil {
			t.Error("it was started twice")
		}
	})
	t.Run("restores", testRestore(c, admin, snapshot))
	t.Run("rotates", testRotate(c))
}

func testRestore(c *Cluster, admin kubernetes.Interface, snapshot string) func(*testing.T) {
	return func(t *testing.T) {
		put(t, admin, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "after"}})
		newest := revision(t, admin)
		cases := []struct {
			reason string
			bump   bool
		}{
			{reason: "a careless restore gives revisions out again", bump: false},
			{reason: "a careful one goes on above them", bump: true},
		}
		for _, tc := range cases {
			if err := c.Restore(t.Context(), snapshot, RestoreOptions{BumpRevision: tc.bump}); err != nil {
				t.Fatal(err)
			}
			if !has(t, admin, "before") || has(t, admin, "after") {
				t.Errorf("%s: the data is not the snapshot's", tc.reason)
			}
			// Controllers write a little at a start: revisions that went back stay far below the bump either
			// way.
			if got := revision(t, admin); (got > newest+100_000_000) != tc.bump {
				t.Errorf("%s: revision %d, before the restore %d", tc.reason, got, newest)
			}
		}
		if err := c.Restore(t.Context(), snapshot+".absent", RestoreOptions{}); err == nil {
			t.Error("an absent snapshot was restored")
		}
		if !has(t, admin, "before") {
			t.Error("a restore that failed lost the data")
		}
		if err := c.Snapshot(t.Context(), snapshot); !errors.Is(err, os.ErrExist) {
			t.Errorf("a snapshot over another: %v", err)
		}
	}
}

func testRotate(c *Cluster) func(*testing.T) {
	return func(t *testing.T) {
		user := User{Name: "tenant", Groups: []string{"system:masters"}}
		old := remoteConfig(t, c, user)
		if _, err := c.RotateServingCA(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := answers(t, old); err == nil || !strings.Contains(err.Error(), "x509") {
			t.Errorf("a client that trusts the old authority: %v", err)
		}
		old = remoteConfig(t, c, user)
		revoke, err := c.RotateClientCA(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(answers(t, old), answers(t, remoteConfig(t, c, user))); err != nil {
			t.Errorf("before the old authority is ended both are taken: %v", err)
		}
		if err := revoke(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := answers(t, old); !apierrors.IsUnauthorized(err) {
			t.Errorf("a certificate of the ended authority: %v", err)
		}
		if err := errors.Join(answers(t, remoteConfig(t, c, user)), answers(t, c.Config())); err != nil {
			t.Errorf("the new certificate and the administrator's: %v", err)
		}
	}
}

func TestStartRefuses(t *testing.T) {
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	port := busy.Addr().(*net.TCPAddr).Port
	empty := t.TempDir()
	t.Setenv("KUBEVIRT_MULTICLUSTER_CACHE", empty)
	t.Setenv("KUBEBUILDER_ASSETS", "")

	cases := map[string]struct {
		reason  string
		options Options
		want    string
	}{
		"missing binary": {reason: "the line says how to get it", want: "etcd is missing in " + empty + "/kubernetes-" +
			KubernetesVersion + ": run `make tools`"},
		"port in use": {reason: "somebody else listens", options: Options{Port: port, Binaries: Binaries{}},
			want: "port " + strconv.Itoa(port) + " is in use"},
		"folder exists": {reason: "it may hold another cluster's data", options: Options{Dir: empty, Binaries: Binaries{}},
			want: empty + ": file already exists"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c, err := Start(t.Context(), tc.options)
			if err == nil {
				t.Fatal(c.Stop(), "it started")
			}
			if err.Error() != tc.want {
				t.Errorf("%s: Start() = %q, want %q", tc.reason, err, tc.want)
			}
		})
	}
	if left, _ := os.ReadDir(empty); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestStartFailsWhole lets the API server fail after etcd has started.
func TestStartFailsWhole(t *testing.T) {
	binaries, err := FindBinaries()
	if err != nil {
		t.Fatal(err)
	}
	broken := filepath.Join(t.TempDir(), "kube-apiserver")
	if err := os.WriteFile(broken, []byte("#!/bin/sh\necho no space left on device\nexit 1\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	binaries["kube-apiserver"] = broken
	dir := filepath.Join(t.TempDir(), "cluster")
	_, err = Start(t.Context(), Options{Dir: dir, Binaries: binaries})
	if err == nil || !strings.Contains(err.Error(), "kube-apiserver ended (exit status 1): no space left on device") {
		t.Errorf("Start() = %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is left: %v", err)
	}
}

func clientset(t *testing.T, config *rest.Config) kubernetes.Interface {
	t.Helper()
	set, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func put(t *testing.T, set kubernetes.Interface, object *corev1.ConfigMap) *corev1.ConfigMap {
	t.Helper()
	made, err := set.CoreV1().ConfigMaps("default").Create(t.Context(), object, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func has(t *testing.T, set kubernetes.Interface, name string) bool {
	t.Helper()
	_, err := set.CoreV1().ConfigMaps("default").Get(t.Context(), name, metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		t.Fatal(err)
	}
	return err == nil
}

func revision(t *testing.T, set kubernetes.Interface) uint64 {
	t.Helper()
	list, err := set.CoreV1().ConfigMaps("default").List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseUint(list.ResourceVersion, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// remoteConfig is a client's that connects by address, with a certificate of the current authority.
func remoteConfig(t *testing.T, c *Cluster, user User) *rest.Config {
	t.Helper()
	pair, err := c.ClientCertificate(user)
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig, err := Kubeconfig{Cluster: c.Name(), User: user.Name, Server: "https://" + c.Addr(), CA: c.ServingCA(),
		Client: pair}.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.RESTConfigFromKubeConfig(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	return config
}

// answers asks over a new connection.
func answers(t *testing.T, config *rest.Config) error {
	t.Helper()
	config = rest.CopyConfig(config)
	config.Dial = (&net.Dialer{}).DialContext // no connection is shared
	_, err := clientset(t, config).CoreV1().Namespaces().Get(t.Context(), "default", metav1.GetOptions{})
	return err
}

// absent returns nil where the server answered that an object is not there, and otherwise what it
// answered.
func absent(err error) error {
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err == nil {
		return errors.New("it is still there")
	}
	return err
}

package journeys

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	certutil "k8s.io/client-go/util/cert"

	"github.com/vitistack/kubevirt-multicluster/api/rbac"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/canary"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// page is where the operator serves its Fleet page and its metrics.
type page struct {
	address, metrics, folder, token string
	http                            *http.Client
}

// newPage makes a certificate and a person who sees everything. The key and the person's token are
// canaries.
func newPage(t *testing.T, flock canary.Flock) page {
	t.Helper()
	p := page{folder: t.TempDir()}
	for _, address := range []*string{&p.address, &p.metrics} {
		port, err := controlplane.FreePort()
		if err != nil {
			t.Fatal(err)
		}
		*address = fmt.Sprintf("127.0.0.1:%d", port)
	}
	cert, key, err := certutil.GenerateSelfSignedCertKey("localhost", []net.IP{{127, 0, 0, 1}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"tls.crt": cert, "tls.key": key} {
		if err := os.WriteFile(filepath.Join(p.folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	flock["a line of the page's key"] = []byte(strings.Split(string(key), "\n")[2])
	trusted := x509.NewCertPool()
	trusted.AppendCertsFromPEM(cert)
	p.http = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}}}
	apply(t, world.supervisor, rbac.Page)
	p.token = viewer(t)
	flock["token of who looks at the page"] = []byte(p.token)
	return p
}

func (p page) args() []string {
	return []string{"--page-bind-address=" + p.address, "--page-cert-dir=" + p.folder, "--metrics-bind-address=" + p.metrics}
}

// viewer is the token of a person who may list everything that the page shows.
func viewer(t *testing.T) string {
	t.Helper()
	meta := metav1.ObjectMeta{Namespace: "default", Name: "canary-viewer"}
	subject := rbacv1.Subject{Kind: "ServiceAccount", Namespace: meta.Namespace, Name: meta.Name}
	account, request := &corev1.ServiceAccount{ObjectMeta: meta}, &authenticationv1.TokenRequest{}
	err := errors.Join(
		world.supervisor.Create(t.Context(), account),
		world.supervisor.Create(t.Context(), &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: meta.Name},
			Rules: []rbacv1.PolicyRule{{APIGroups: []string{"vitistack.io"}, Resources: []string{"machines", "kubevirtconfigs"},
				Verbs: []string{"list"}}}}),
		world.supervisor.Create(t.Context(), &rbacv1.ClusterRoleBinding{ObjectMeta: metav1.ObjectMeta{Name: meta.Name},
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: meta.Name},
			Subjects: []rbacv1.Subject{subject}}),
		world.supervisor.SubResource("token").Create(t.Context(), account, request),
	)
	if err != nil {
		t.Fatal(err)
	}
	return request.Status.Token
}

// get reads a path of the page as that person, a stream until nothing has come for a second.
func (p page) get(ctx context.Context, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+p.address+path, nil)
	if err != nil {
		return "", err
	}
	request.Header.Set("Authorization", "Bearer "+p.token)
	answer, err := p.http.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	if strings.HasPrefix(answer.Header.Get("Content-Type"), "text/event-stream") {
		idle := time.AfterFunc(2*time.Second, cancel)
		defer idle.Stop()
	}
	text, err := io.ReadAll(answer.Body)
	if answer.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s answers %s: %s", path, answer.Status, text)
	}
	if len(text) > 0 && errors.Is(err, context.Canceled) {
		err = nil
	}
	return fmt.Sprintf("%v\n%s", answer.Header, text), err
}

// look asks the operator and its commands in every way.
func (b *birds) look() {
	b.t.Helper()
	plugins, err := filepath.Abs(pluginDir)
	if err != nil {
		b.t.Fatal(err)
	}
	name := b.key.String()
	for _, args := range [][]string{
		{"operator", "explain", "machine", name, "--plugin-dir", plugins}, {"operator", "explain", "machine", name, "-o", "json", "--plugin-dir", plugins},
		{"operator", "orphans"}, {"kubectl-machine", "why", name, "--plugin-dir", plugins},
		{"kubectl-machine", "status", name}, {"kubectl-machine", "fits", name}, {"kubectl-machine", "list", "-o", "json"},
		{"kubectl-machine", "moves", "--all"}, {"kubectl-machine", "debts"}, {"kubectl-machine", "cluster", "list"},
		{"kubectl-machine", "cluster", "check", "broken-yaml"}, {"kubectl-machine", "cluster", "check", "broken-header"},
	} {
		if out := b.command(args...); out == "" || strings.Contains(out, "unknown flag") || strings.Contains(out, "unknown command") {
			b.t.Errorf("%v says %q", args, out)
		}
	}
	for _, path := range []string{"/", "/fleet.json", "/events"} {
		text, err := b.page.get(b.t.Context(), path)
		if err != nil {
			b.t.Fatal(err)
		}
		if path != "/" && !strings.Contains(text, "broken-yaml") {
			b.t.Errorf("%s has none of the clusters: %s", path, text)
		}
		b.said["page "+path] = text
	}
	answer, err := http.Get("http://" + b.page.metrics + "/metrics")
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || !strings.Contains(string(text), `"broken-yaml"`) {
		b.t.Errorf("the metrics have none of the clusters: %v", err)
	}
	b.said["metrics"] = string(text)
	b.bundle()
}

// bundle packs a report, and keeps its files.
func (b *birds) bundle() {
	b.t.Helper()
	path := filepath.Join(b.t.TempDir(), "report.tar.gz")
	b.command("kubectl-machine", "report", "-o", path)
	file, err := os.Open(path)
	if err != nil {
		b.t.Fatal(err)
	}
	defer file.Close()
	zip, err := gzip.NewReader(file)
	if err != nil {
		b.t.Fatal(err)
	}
	machines := false
	for reader := tar.NewReader(zip); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			b.t.Fatal(err)
		}
		content, err := io.ReadAll(reader)
		if err != nil {
			b.t.Fatal(err)
		}
		b.said["report "+header.Name] = string(content)
		machines = machines || strings.HasSuffix(header.Name, "machines.yaml") && strings.Contains(string(content), b.key.Name)
	}
	if !machines {
		b.t.Error("the report has no Machines")
	}
}

// search looks for the canaries in all that was said, logged, written to any cluster, and asked of any
// cluster but those that hold the Secrets themselves.
func (b *birds) search() {
	b.t.Helper()
	log, err := os.ReadFile(b.operator.Log)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, words := range []string{"SIGQUIT: quit", "SIGABRT: abort", "goroutine ", "Created VirtualMachine", `"strategy": "annotation"`} {
		if !strings.Contains(string(log), words) {
			b.t.Errorf("the log of %d bytes has no %q", len(log), words)
		}
	}
	b.said["log"] = string(log)
	for _, cluster := range world.fleet.Clusters() {
		b.said["objects of "+cluster.Name] = b.objects(cluster)
		if cluster.Name == fleet.Supervisor || cluster.Name == north { // the others refused a Secret in its own words
			audit, err := os.ReadFile(cluster.ControlPlane.AuditLog())
			if err != nil {
				b.t.Fatal(err)
			}
			b.said["audit log of "+cluster.Name] = string(audit)
		}
	}
	bytes := 0
	for what, text := range b.said {
		bytes += len(text)
		for _, found := range b.flock.In(text) {
			b.t.Errorf("%s has a secret in it: %s", what, found)
		}
	}
	b.t.Logf("%d canaries, %d texts, %d MiB", len(b.flock), len(b.said), bytes>>20)
}

// objects are all objects of a cluster as JSON. Of Secrets it has all but what they are there for.
func (b *birds) objects(cluster *fleet.Cluster) string {
	b.t.Helper()
	config := rest.CopyConfig(cluster.ControlPlane.Config())
	config.WarningHandler = rest.NoWarnings{} // of kinds that are old
	kinds, err := discovery.NewDiscoveryClientForConfigOrDie(config).ServerPreferredResources()
	if err != nil {
		b.t.Fatal(err)
	}
	reader := dynamic.NewForConfigOrDie(config)
	var all strings.Builder
	count := map[string]int{}
	for _, group := range kinds {
		version, err := schema.ParseGroupVersion(group.GroupVersion)
		if err != nil {
			b.t.Fatal(err)
		}
		for _, kind := range group.APIResources {
			if !strings.Contains(fmt.Sprint(kind.Verbs), "list") {
				continue
			}
			list, err := reader.Resource(version.WithResource(kind.Name)).List(b.t.Context(), metav1.ListOptions{})
			if err != nil {
				b.t.Fatalf("%s of %s: %v", kind.Name, cluster.Name, err)
			}
			for i := range list.Items {
				count[kind.Kind]++
				all.WriteString(b.outside(&list.Items[i]))
			}
		}
	}
	for _, kind := range []string{"Secret", "Event", "Namespace"} {
		if count[kind] == 0 {
			b.t.Errorf("no %s of %s was looked at", kind, cluster.Name)
		}
	}
	if cluster.Name == fleet.Supervisor && count["Machine"] < 2 {
		b.t.Errorf("%d Machines were looked at", count["Machine"])
	}
	return all.String()
}

// outside is an object without the content of a Secret.
func (b *birds) outside(object *unstructured.Unstructured) string {
	if object.GetKind() == "Secret" {
		unstructured.RemoveNestedField(object.Object, "data")
	}
	text, err := json.Marshal(object.Object)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(text) + "\n"
}

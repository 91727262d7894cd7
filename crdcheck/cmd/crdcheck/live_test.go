package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	clientset "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	runtimeschema "k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

const liveObjects = `
apiVersion: v1
kind: ConfigMap
metadata: {name: plain}
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: warned, finalizers: [mine]}
spec: {size: 1, colour: red}
---
apiVersion: example.com/v7
kind: Widget
metadata: {name: later}
---
apiVersion: example.com/v1
kind: Gadget
metadata: {name: stranger}
---
apiVersion: example.com/v1
kind: Widget
metadata: {name: refused}
spec: {size: 0, colour: red}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: lost, namespace: nowhere}
`

// TestLive asks a real API server: its warnings are told, and kinds that Kubernetes has itself are
// asked about too. A kind, a version or a namespace that the server lacks does not end the run.
func TestLive(t *testing.T) {
	plane := controlplane.New(t, controlplane.Options{Name: "live"})
	createWidgets(t, plane)
	kubeconfig, err := plane.KubeconfigFor(controlplane.Admin)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(file, kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	var out, complaints bytes.Buffer
	code := run(
		t.Context(), []string{"admit", "-", "--live", "live", "--kubeconfig", file},
		streams{in: strings.NewReader(liveObjects), out: &out, err: &complaints},
	)
	if code != findings || complaints.Len() > 0 {
		t.Errorf("exit %d, and on standard error %q", code, complaints.String())
	}
	for _, want := range []string{
		"ConfigMap plain of configmaps in ", ": would be accepted and kept\n",
		`Widget warned of widgets.example.com`, `warned: metadata.finalizers: "mine": prefer a domain-qualified finalizer name`,
		"Widget later of Widget.example.com", "version v7 is not served, it has v1 served",
		"Gadget stranger of Gadget.example.com", "the CRD is missing",
		"ConfigMap nowhere/lost of configmaps", `refused: namespaces "nowhere" not found`,
		"spec.size: refused: ", "standard input:19)",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("not told: %q in\n%s", want, out.String())
		}
	}
}

// createWidgets makes the server serve the widgets of package admit.
func createWidgets(t *testing.T, plane *controlplane.Cluster) {
	t.Helper()
	config, err := plane.ConfigFor(controlplane.Admin)
	if err != nil {
		t.Fatal(err)
	}
	file, err := os.Open("../../admit/testdata/widgets.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	crds, err := crdcheck.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	definitions := clientset.NewForConfigOrDie(config).ApiextensionsV1().CustomResourceDefinitions()
	if _, err := definitions.Create(t.Context(), &crds[0], metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	widgets := dynamic.NewForConfigOrDie(config).Resource(
		runtimeschema.GroupVersionResource{Group: "example.com", Version: "v1", Resource: "widgets"},
	)
	eventually.Eventually(t, time.Minute, "the server serves widgets", func(ctx context.Context) error {
		_, err := widgets.List(ctx, metav1.ListOptions{})
		return err
	})
}

package main

import (
	"bytes"
	"path/filepath"
	"regexp"
	"testing"

	clientset "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
)

// TestDiffOfFleet: of two real clusters the one whose definition was changed differs, since then, by
// that manager; labels that somebody writes later make it no younger.
func TestDiffOfFleet(t *testing.T) {
	planes := map[string]*controlplane.Cluster{}
	merged := clientcmdapi.NewConfig()
	for _, name := range []string{"east", "west"} {
		planes[name] = controlplane.New(t, controlplane.Options{Name: name})
		createWidgets(t, planes[name])
		kubeconfig, err := planes[name].KubeconfigFor(controlplane.Admin)
		if err != nil {
			t.Fatal(err)
		}
		one, err := clientcmd.Load(kubeconfig)
		if err != nil {
			t.Fatal(err)
		}
		access := one.Contexts[one.CurrentContext]
		merged.Clusters[name], merged.AuthInfos[name] = one.Clusters[access.Cluster], one.AuthInfos[access.AuthInfo]
		merged.Contexts[name] = &clientcmdapi.Context{Cluster: name, AuthInfo: name}
	}
	both := filepath.Join(t.TempDir(), "both")
	if err := clientcmd.WriteToFile(*merged, both); err != nil {
		t.Fatal(err)
	}
	config, err := planes["west"].ConfigFor(controlplane.Admin)
	if err != nil {
		t.Fatal(err)
	}
	definitions := clientset.NewForConfigOrDie(config).ApiextensionsV1().CustomResourceDefinitions()
	for manager, patch := range map[string]string{
		"upgrader": `[{"op": "add", "path": "/spec/versions/0/schema/openAPIV3Schema/properties/spec/properties/extra", "value": {"type": "string"}}]`,
		"labeller": `[{"op": "add", "path": "/metadata/labels", "value": {"team": "harbour"}}]`,
	} {
		if _, err := definitions.Patch(
			t.Context(), "widgets.example.com", types.JSONPatchType, []byte(patch), metav1.PatchOptions{FieldManager: manager},
		); err != nil {
			t.Fatal(err)
		}
	}
	var out, complaints bytes.Buffer
	code := run(
		t.Context(), []string{"diff", "--fleet", "kube:east", "kube:west", "--kubeconfig", both},
		streams{out: &out, err: &complaints},
	)
	if code != findings || complaints.Len() > 0 {
		t.Errorf("exit %d, and on standard error %q", code, complaints.String())
	}
	want := regexp.MustCompile(`^⚠️ 2 clusters, 1 definition: 1 cluster differs in 1 definition
widgets.example.com, compared with east
   west, since \d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ \(\d+[sm] ago\), when upgrader changed it
      warning: v1: spec.extra: field added: {"type":"string"}
$`)
	if !want.MatchString(out.String()) {
		t.Errorf("unexpected:\n%s", out.String())
	}
}

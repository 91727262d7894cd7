package deployment

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/util/yaml"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
)

// patience bounds whatever takes an API server a moment.
const patience = 30 * time.Second

// operator is the service account of deploy/supervisor.
var operator = controlplane.User{
	Name:   "system:serviceaccount:kubevirt-operator:kubevirt-operator",
	Groups: []string{"system:serviceaccounts", "system:serviceaccounts:kubevirt-operator", "system:authenticated"},
}

// as is a client of the cluster for a user.
func as(t *testing.T, plane *controlplane.Cluster, user controlplane.User) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, vitistackv1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	config, err := plane.ConfigFor(user)
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// kubectl is the program that `make tools` builds.
func kubectl(t *testing.T) string {
	t.Helper()
	cache, err := controlplane.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	path, err := controlplane.LookUp("kubectl", filepath.Join(cache, "kubernetes-"+controlplane.KubernetesVersion))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// rendered are the objects of a kustomization, by its path from the repository's root.
func rendered(t *testing.T, path string) []*unstructured.Unstructured {
	t.Helper()
	command := exec.CommandContext(t.Context(), kubectl(t), "kustomize", filepath.Join("..", "..", path))
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		t.Fatalf("rendering %s: %v: %s", path, err, stderr.String())
	}
	var objects []*unstructured.Unstructured
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(output), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return objects
		}
		if err != nil {
			t.Fatal(err)
		}
		objects = append(objects, object)
	}
}

// apply makes objects, each as soon as its kind is served.
func apply(t *testing.T, c client.Client, objects []*unstructured.Unstructured) {
	t.Helper()
	for _, object := range objects {
		until(t, object.GetKind()+" "+object.GetName()+" is not made", func(ctx context.Context) error {
			return c.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.FieldOwner("test"),
				client.ForceOwnership)
		})
	}
}

// until calls until there is no error.
func until(t *testing.T, what string, call func(ctx context.Context) error) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, patience, true,
		func(ctx context.Context) (bool, error) {
			last = call(ctx)
			return last == nil, nil
		})
	if err != nil {
		t.Fatalf("%s: %v", what, last)
	}
}

// unless is a call that fails until something holds.
func unless(holds func() bool) func(ctx context.Context) error {
	return func(context.Context) error {
		if !holds() {
			return errors.New("not yet")
		}
		return nil
	}
}

package released

import (
	"bufio"
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	kubevirtv1 "kubevirt.io/api/core/v1"
	instancetypev1beta1 "kubevirt.io/api/instancetype/v1beta1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	sigsyaml "sigs.k8s.io/yaml"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

//go:embed testdata
var files embed.FS

// Objects returns what the operator of commit f726fdc left in the supervisor and in the one remote
// cluster, cluster-east. Each call makes new objects, which a test may change. Kinds of Kubernetes,
// KubeVirt, CDI and vitistack.io have their Go types; others, such as
// NetworkAttachmentDefinitions, are unstructured. They have no resourceVersion.
func Objects(t testing.TB) (supervisor, remote []client.Object) {
	t.Helper()
	scheme, err := newScheme()
	if err != nil {
		t.Fatal(err)
	}
	read := func(name string) []client.Object {
		objects, err := load(scheme, "testdata/f726fdc/"+name)
		if err != nil {
			t.Fatal(err)
		}
		return objects
	}
	return read("supervisor.yaml"), read("cluster-east.yaml")
}

// load reads the objects of a file, in its order.
func load(scheme *runtime.Scheme, path string) ([]client.Object, error) {
	content, err := files.ReadFile(path)
	if err != nil {
		return nil, err
	}
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	var objects []client.Object
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		object, err := decode(scheme, document)
		if err != nil {
			return nil, fmt.Errorf("%s: object %d: %w", path, len(objects), err)
		}
		objects = append(objects, object)
	}
}

// decode makes an object of its Go type where the scheme knows one.
func decode(scheme *runtime.Scheme, document []byte) (client.Object, error) {
	untyped := &unstructured.Unstructured{}
	if err := sigsyaml.Unmarshal(document, &untyped.Object); err != nil {
		return nil, err
	}
	kind := untyped.GroupVersionKind()
	if !scheme.Recognizes(kind) {
		return untyped, nil
	}
	typed, err := scheme.New(kind)
	if err != nil {
		return nil, err
	}
	object, is := typed.(client.Object)
	if !is {
		return nil, fmt.Errorf("%s is no object", kind)
	}
	return object, sigsyaml.Unmarshal(document, object)
}

// newScheme knows the types of the objects.
func newScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, vitistackv1alpha1.AddToScheme, kubevirtv1.AddToScheme,
		instancetypev1beta1.AddToScheme, cdiv1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	return scheme, nil
}

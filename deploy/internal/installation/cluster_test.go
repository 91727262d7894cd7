package installation

import (
	"bytes"
	"context"
	"errors"
	"io"
	"path/filepath"
	"testing"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	yamlutil "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
)

const (
	configsNamespace = "kubevirt-configs"
	east             = "cluster-east"
)

// token is one of the operator's service account in a cluster.
func token(t *testing.T, admin client.Client) string {
	t.Helper()
	request := &authenticationv1.TokenRequest{}
	of := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: operator, Name: operator}}
	if err := admin.SubResource("token").Create(t.Context(), of, request); err != nil {
		t.Fatal(err)
	}
	return request.Status.Token
}

// addCluster gives the operator a way into the remote cluster: rights there, and here a
// KubevirtConfig with its Secret.
func addCluster(t *testing.T) {
	t.Helper()
	made, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(),
		filepath.Join(root, "deploy", "remote"))
	if err != nil {
		t.Fatal(err)
	}
	stream, err := made.AsYaml()
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range decode(t, stream) {
		eventually.Eventually(t, patience, object.GetKind()+" is made", func(ctx context.Context) error {
			return world.remoteAdmin.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.FieldOwner("test"))
		})
	}
	kubeconfig, err := controlplane.Kubeconfig{
		Cluster: east, User: operator, Server: "https://" + world.remote.Addr(), CA: world.remote.ServingCA(),
		Token: token(t, world.remoteAdmin),
	}.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range []client.Object{
		&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: configsNamespace, Name: "east-kubeconfig"},
			Data:       map[string][]byte{vitistackv1alpha1.KubeconfigSecretKey: kubeconfig},
		},
		&vitistackv1alpha1.KubevirtConfig{
			ObjectMeta: metav1.ObjectMeta{Namespace: configsNamespace, Name: east},
			Spec:       vitistackv1alpha1.KubevirtConfigSpec{Name: east, KubeconfigSecretRef: "east-kubeconfig"},
		},
	} {
		eventually.Eventually(t, patience, object.GetName()+" is made", func(ctx context.Context) error {
			return world.supervisorAdmin.Create(ctx, object)
		})
	}
}

// decode returns the objects of a stream of YAML.
func decode(t *testing.T, stream []byte) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	decoder := yamlutil.NewYAMLOrJSONDecoder(bytes.NewReader(stream), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(object.Object) > 0 {
			all = append(all, object)
		}
	}
}

// newMachine makes a Machine that names no cluster.
func newMachine(t *testing.T, name string) *vitistackv1alpha1.Machine {
	t.Helper()
	machine := &vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name},
		Spec:       vitistackv1alpha1.MachineSpec{InstanceType: "small"},
	}
	if err := world.supervisorAdmin.Create(t.Context(), machine); err != nil {
		t.Fatal(err)
	}
	return machine
}

// wantRunning waits until a Machine runs.
func wantRunning(t *testing.T, machine *vitistackv1alpha1.Machine) {
	t.Helper()
	eventually.Eventually(t, patience, machine.Name+" runs", func(ctx context.Context) error {
		if err := world.supervisorAdmin.Get(ctx, client.ObjectKeyFromObject(machine), machine); err != nil {
			return err
		}
		if machine.Status.Phase != vitistackv1alpha1.MachinePhaseRunning {
			return errors.New("it is " + string(machine.Status.Phase) + ": " + machine.Status.FailureMessage)
		}
		return nil
	})
}

// virtualMachines are the UIDs of those in the remote cluster, by name.
func virtualMachines(t *testing.T) map[string]string {
	t.Helper()
	list := &unstructured.UnstructuredList{}
	list.SetAPIVersion("kubevirt.io/v1")
	list.SetKind("VirtualMachineList")
	if err := world.remoteAdmin.List(t.Context(), list); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, item := range list.Items {
		all[item.GetName()] = string(item.GetUID())
	}
	return all
}

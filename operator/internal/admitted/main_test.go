package admitted

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/vitistack/kubevirt-multicluster/api/crds"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

const (
	east      = "cluster-east"
	namespace = "team-a"
	patience  = 2 * time.Minute
	missing   = "missing" // the name of what the cluster's catalogue has not
)

// server is one API server, which is supervisor and remote cluster at once, with all of KubeVirt.
var server client.Client

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard())
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (code int, err error) {
	ctx := context.Background()
	cluster, err := controlplane.Start(ctx, controlplane.Options{Name: east})
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()
	if err := installMachines(cluster); err != nil {
		return 1, err
	}
	stack, err := kubevirt.Start(ctx, cluster, kubevirt.Options{Mode: kubevirt.Real})
	if err != nil {
		return 1, err
	}
	defer func() { err = errors.Join(err, stack.Stop()) }()
	scheme, err := newScheme()
	if err != nil {
		return 1, err
	}
	if server, err = client.New(cluster.Config(), client.Options{Scheme: scheme}); err != nil {
		return 1, err
	}
	for _, object := range fixtures() {
		if err := server.Create(ctx, object); err != nil {
			return 1, err
		}
	}
	return m.Run(), nil
}

func installMachines(cluster *controlplane.Cluster) error {
	dir, err := os.MkdirTemp("", "admitted-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for name, content := range crds.YAML() {
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), content, 0o600); err != nil {
			return err
		}
	}
	_, err = envtest.InstallCRDs(cluster.Config(),
		envtest.CRDInstallOptions{Paths: []string{dir}, ErrorIfPathMissing: true})
	return err
}

func newScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	attachments := desired.NetworkAttachmentDefinitionKind
	scheme.AddKnownTypeWithName(attachments, &unstructured.Unstructured{})
	scheme.AddKnownTypeWithName(attachments.GroupVersion().WithKind(attachments.Kind+"List"),
		&unstructured.UnstructuredList{})
	for _, add := range []func(*runtime.Scheme) error{
		clientgoscheme.AddToScheme, vitistackv1alpha1.AddToScheme, kubevirtv1.AddToScheme, cdiv1beta1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	return scheme, nil
}

// fixtures are what Machines may name in the remote cluster.
func fixtures() []client.Object {
	instancetype := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{
		"cpu": map[string]any{"guest": int64(1)}, "memory": map[string]any{"guest": "1Gi"},
	}}}
	preference := &unstructured.Unstructured{Object: map[string]any{"spec": map[string]any{}}}
	for object, kind := range map[*unstructured.Unstructured]string{
		instancetype: "VirtualMachineClusterInstancetype", preference: "VirtualMachineClusterPreference",
	} {
		object.SetAPIVersion("instancetype.kubevirt.io/v1beta1")
		object.SetKind(kind)
		object.SetName("small")
	}
	return []client.Object{
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}, instancetype, preference,
	}
}

func settings() machine.Option {
	return machine.WithSettings(machine.Settings{
		Desired: desired.Options{SupervisorUID: "supervisor-uid"}, VMNamePrefix: desired.DefaultVMNamePrefix,
	})
}

// eventually waits until what answers "", and fails with its last answer.
func eventually(t *testing.T, what func() string) {
	t.Helper()
	last := ""
	err := wait.PollUntilContextTimeout(t.Context(), 200*time.Millisecond, patience, true,
		func(context.Context) (bool, error) {
			last = what()
			return last == "", nil
		})
	if err != nil {
		t.Fatalf("after %s: %s", patience, last)
	}
}

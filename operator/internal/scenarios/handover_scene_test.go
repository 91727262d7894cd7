package scenarios

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/deployment"
)

const (
	tenants   = "handover"
	managedBy = "theirs" // MANAGED_BY of the public operator
)

// handover is a supervisor of the public operator's, with cluster-east as its one remote cluster.
type handover struct {
	*testing.T
	plane              *controlplane.Cluster
	supervisor, remote client.Client
	steps              map[string]deployment.Step
	done               map[string]bool
	env                []string
	program            *program // nil before its first start
}

func newHandover(t *testing.T) *handover {
	t.Helper()
	plane := controlplane.New(t, controlplane.Options{Name: "public"})
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, vitistackv1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	admin, err := client.New(plane.Config(), client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	h := &handover{T: t, plane: plane, supervisor: admin, remote: world.remote["cluster-east"], steps: steps(t),
		done: map[string]bool{}}
	east := cluster(t, "cluster-east").ControlPlane
	tools, err := filepath.Abs(filepath.Join("..", "..", "..", "bin"))
	if err != nil {
		t.Fatal(err)
	}
	h.env = append(os.Environ(),
		"PATH="+filepath.Dir(world.binary)+string(os.PathListSeparator)+tools+string(os.PathListSeparator)+os.Getenv("PATH"),
		"KUBECONFIG="+h.kubeconfig(plane), "REMOTE_KUBECONFIGS="+h.kubeconfig(east),
		"REMOTE_USER=public", "THEIR_NAMESPACE=public", "THEIR_DEPLOYMENT=public-operator", "MANAGED_BY="+managedBy,
		"IMAGE=registry/ours:v1",
	)
	applyObjects(t, admin, publicDefinitions(t))
	h.createTheirs(east)
	h.createMachines()
	return h
}

// kubeconfig is an administrator's, as a file.
func (h *handover) kubeconfig(plane *controlplane.Cluster) string {
	h.Helper()
	content, err := plane.KubeconfigFor(controlplane.Admin)
	if err != nil {
		h.Fatal(err)
	}
	path := filepath.Join(h.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		h.Fatal(err)
	}
	return path
}

// publicDefinitions are the definitions with KubevirtConfig as the public one is: cluster-scoped,
// and without the fields that only ours has.
func publicDefinitions(t *testing.T) []*unstructured.Unstructured {
	t.Helper()
	objects := rendered(t, "api/crds")
	for _, object := range objects {
		if object.GetName() != "kubevirtconfigs.vitistack.io" {
			continue
		}
		if err := unstructured.SetNestedField(object.Object, "Cluster", "spec", "scope"); err != nil {
			t.Fatal(err)
		}
		versions, _, err := unstructured.NestedSlice(object.Object, "spec", "versions")
		if err != nil {
			t.Fatal(err)
		}
		for _, version := range versions {
			properties := []string{"schema", "openAPIV3Schema", "properties"}
			for _, own := range []string{"conditions", "versions", "clusterUID", "machines", "disconnectedSince",
				"observedGeneration"} {
				unstructured.RemoveNestedField(version.(map[string]any), append(properties, "status", "properties", own)...)
			}
			unstructured.RemoveNestedField(version.(map[string]any), append(properties, "spec", "properties", "paused")...)
			delete(version.(map[string]any), "additionalPrinterColumns")
		}
		if err := unstructured.SetNestedSlice(object.Object, versions, "spec", "versions"); err != nil {
			t.Fatal(err)
		}
	}
	return objects
}

// createTheirs makes the public operator's Deployment, and its way to the remote cluster.
func (h *handover) createTheirs(east *controlplane.Cluster) {
	h.Helper()
	kubeconfig, err := east.KubeconfigFor(controlplane.User{Name: "public"})
	if err != nil {
		h.Fatal(err)
	}
	labels := map[string]string{"app": "public-operator"}
	config := &vitistackv1alpha1.KubevirtConfig{ObjectMeta: metav1.ObjectMeta{Name: "cluster-east"}}
	config.Spec.Name, config.Spec.KubeconfigSecretRef, config.Spec.SecretNamespace = "cluster-east",
		"cluster-east-kubeconfig", "public"
	h.create(h.supervisor,
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "public"}},
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: tenants}},
		&corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Namespace: "public", Name: "cluster-east-kubeconfig"},
			Data:       map[string][]byte{vitistackv1alpha1.KubeconfigSecretKey: kubeconfig},
		},
		config,
		&appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Namespace: "public", Name: "public-operator"},
			Spec: appsv1.DeploymentSpec{
				Replicas: ptr.To(int32(1)), Selector: &metav1.LabelSelector{MatchLabels: labels},
				Template: corev1.PodTemplateSpec{
					ObjectMeta: metav1.ObjectMeta{Labels: labels},
					Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "manager", Image: "registry/theirs:v1"}}},
				},
			},
		},
	)
	h.create(h.remote, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: tenants}})
}

// createMachines makes Machines with all that the public operator made for them. What stands in the
// way of a new Machine does not stand in the way of one that exists: two NetworkNamespaces of which
// none is named, a class that is gone, a static network without a VLAN.
func (h *handover) createMachines() {
	h.Helper()
	first, second := h.networkNamespace("first"), h.networkNamespace("second")
	second.Spec.IPAllocation = &vitistackv1alpha1.NetworkNamespaceIPAllocation{
		Type: vitistackv1alpha1.IPAllocationTypeStatic, Provider: "static-ip-operator",
	}
	h.create(h.supervisor, first, second)
	h.createMachine("web", "02:12:00:00:00:01", func(*vitistackv1alpha1.Machine) {})
	h.createMachine("retired", "02:12:00:00:00:02", func(m *vitistackv1alpha1.Machine) { m.Spec.InstanceType = "retired" })
	h.createMachine("untagged", "02:12:00:00:00:03", func(m *vitistackv1alpha1.Machine) {
		m.Spec.Network.NetworkNamespaceName = "second"
	})
}

func (h *handover) networkNamespace(name string) *vitistackv1alpha1.NetworkNamespace {
	nn := &vitistackv1alpha1.NetworkNamespace{ObjectMeta: metav1.ObjectMeta{Namespace: tenants, Name: name}}
	nn.Spec.DatacenterIdentifier, nn.Spec.SupervisorIdentifier = "no-west-az1", "supervisor-1"
	return nn
}

// createMachine makes one Machine, its NetworkConfiguration, its claims and its virtual machine,
// which has the Machine's name.
func (h *handover) createMachine(name, mac string, change func(*vitistackv1alpha1.Machine)) {
	h.Helper()
	meta := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Namespace: tenants, Name: name, Labels: map[string]string{
			vitistackv1alpha1.LabelManagedBy: managedBy, vitistackv1alpha1.LabelSourceMachine: name,
		}}
	}
	m := machine(tenants, name, "cluster-east")
	m.Finalizers = []string{vitistackv1alpha1.FinalizerMachinePublic}
	change(m)
	nc := &vitistackv1alpha1.NetworkConfiguration{ObjectMeta: meta(name)}
	nc.Spec.Name = name
	nc.Spec.NetworkInterfaces = []vitistackv1alpha1.NetworkConfigurationInterface{{Name: "default", MacAddress: mac}}
	h.create(h.supervisor, m, nc)

	disk, data := claim(meta(name)), claim(meta(name))
	data.Name += "-data"
	vm := &kubevirtv1.VirtualMachine{ObjectMeta: meta(name)}
	vm.Spec.RunStrategy = ptr.To(kubevirtv1.RunStrategyAlways)
	vm.Spec.Template = &kubevirtv1.VirtualMachineInstanceTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: vm.Labels}}
	spec := &vm.Spec.Template.Spec
	spec.Networks = []kubevirtv1.Network{*kubevirtv1.DefaultPodNetwork()}
	spec.Domain.Memory = &kubevirtv1.Memory{Guest: ptr.To(resource.MustParse("1Gi"))}
	nic := kubevirtv1.DefaultBridgeNetworkInterface()
	nic.MacAddress = mac
	spec.Domain.Devices.Interfaces = []kubevirtv1.Interface{*nic}
	for _, each := range []*corev1.PersistentVolumeClaim{disk, data} {
		source := &kubevirtv1.PersistentVolumeClaimVolumeSource{}
		source.ClaimName = each.Name
		spec.Volumes = append(spec.Volumes,
			kubevirtv1.Volume{Name: each.Name, VolumeSource: kubevirtv1.VolumeSource{PersistentVolumeClaim: source}})
		spec.Domain.Devices.Disks = append(spec.Domain.Devices.Disks, kubevirtv1.Disk{Name: each.Name})
	}
	h.create(h.remote, disk, data, vm)
	eventually(h.T, patience, func() string {
		if err := h.remote.Get(h.Context(), client.ObjectKeyFromObject(vm), vm); err != nil {
			h.Fatal(err)
		}
		if !vm.Status.Ready {
			return "virtual machine " + name + " does not run"
		}
		return ""
	})
}

func claim(meta metav1.ObjectMeta) *corev1.PersistentVolumeClaim {
	return &corev1.PersistentVolumeClaim{ObjectMeta: meta, Spec: corev1.PersistentVolumeClaimSpec{
		AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteMany},
		Resources: corev1.VolumeResourceRequirements{
			Requests: corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("1Gi")},
		},
	}}
}

// create makes objects, each as soon as its kind is served.
func (h *handover) create(c client.Client, objects ...client.Object) {
	h.Helper()
	for _, object := range objects {
		eventually(h.T, 20*time.Second, func() string {
			if err := c.Create(h.Context(), object); err != nil {
				return object.GetName() + ": " + err.Error()
			}
			return ""
		})
	}
}

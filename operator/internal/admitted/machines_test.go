package admitted

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
)

const (
	generated = 2000
	maxPasses = 6
)

// fields are how a message names what somebody has to change.
var fields = regexp.MustCompile(`disk|os\.|cloudInit|sshKeys|runStrategy|annotation vitistack|annotation kubevirt|network\.interfaces|interface "|memory|cores|sockets|threads|` +
	`MachineClass|machineClass|NetworkNamespace "|spec\.`)

// verdict is what became of a generated Machine.
type verdict struct{ kind, message string }

// TestGeneratedMachines has KubeVirt's webhooks judge, under dry-run, what is made of many
// Machines: each is admitted, or the Machine says which field is to be changed. None crashes, none
// loops, and none tells what is nobody's business.
func TestGeneratedMachines(t *testing.T) {
	var mu sync.Mutex
	var judging sync.WaitGroup
	slots := make(chan struct{}, 4)
	counts, seed := map[string]int{}, 0
	for made := 0; made < generated; seed++ {
		m := machines.Example(seed)
		m.Name = fmt.Sprintf("%s.%d", m.Name, seed)
		if !isValid(t, m) {
			continue
		}
		made++
		slots <- struct{}{}
		judging.Go(func() {
			defer func() { <-slots }()
			v, err := judge(t.Context(), m)
			mu.Lock()
			defer mu.Unlock()
			counts[v.kind]++
			switch {
			case err != nil:
				t.Errorf("%s: %v", m.Name, err)
			case strings.Contains(v.message, marker):
				t.Errorf("the status of %s tells what is nobody's business: %s", m.Name, v.message)
			case v.kind != admitted && !fields.MatchString(v.message):
				t.Errorf("%s is %s, and no field is named: %s", m.Name, v.kind, v.message)
			case v.kind == vitistackv1alpha1.ReasonRejected && !strings.Contains(v.message, "missing"):
				t.Errorf("%s: KubeVirt's refusal should have been foreseen: %s", m.Name, v.message)
			}
		})
	}
	judging.Wait()
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%5d %s", counts[kind], kind)
	}
	if counts[admitted] < generated/4 || len(counts) < 6 {
		t.Errorf("too few kinds of Machines were drawn for this to prove anything: %v", counts)
	}
}

const admitted = "admitted"

// isValid asks the API server whether a Machine is one at all, and gives it the UID that it would
// have.
func isValid(t *testing.T, m *vitistackv1alpha1.Machine) bool {
	t.Helper()
	err := server.Create(t.Context(), m, client.DryRunAll)
	if err != nil && !apierrors.IsInvalid(err) {
		t.Fatal(err)
	}
	return err == nil
}

// judge takes a Machine to the point where its VirtualMachine is created, or a person must act.
func judge(ctx context.Context, m *vitistackv1alpha1.Machine) (verdict, error) {
	scheme := server.Scheme()
	tracker := clienttesting.NewObjectTracker(scheme, serializer.NewCodecFactory(scheme).UniversalDecoder())
	m.ResourceVersion, m.ManagedFields = "", nil
	supervisor := fake.NewClientBuilder().WithScheme(scheme).WithObjectTracker(tracker).WithObjects(m).WithObjects(
		surroundings()...).
		WithStatusSubresource(m, &vitistackv1alpha1.NetworkConfiguration{}).Build()
	remote := &trial{Client: client.NewDryRunClient(server)}
	manager := clientmgr.NewMockClientManager()
	manager.SupervisorClient = supervisor
	manager.AddMockedClient(east, remote)
	reconciler := machine.NewMachineReconciler(supervisor, scheme, manager, settings())
	key := client.ObjectKeyFromObject(m)
	for range maxPasses {
		_, err := reconciler.Reconcile(ctx, ctrl.Request{NamespacedName: key})
		if remote.admitted {
			return verdict{kind: admitted}, nil
		}
		if err != nil {
			return verdict{}, err
		}
		if err := supervisor.Get(ctx, key, m); err != nil {
			return verdict{}, err
		}
		ready := m.Status.Condition(vitistackv1alpha1.ConditionReady)
		switch {
		// a busy server is no verdict: it is asked again
		case ready == nil || ready.Reason == vitistackv1alpha1.ReasonClustersUnanswered,
			ready.Reason == vitistackv1alpha1.ReasonRetrying:
		case ready.Reason == vitistackv1alpha1.ReasonWaitingForAddresses:
			if err := giveAddresses(ctx, supervisor); err != nil {
				return verdict{}, err
			}
		default:
			return verdict{kind: ready.Reason, message: ready.Message + m.Status.FailureMessage}, nil
		}
	}
	return verdict{}, fmt.Errorf("nothing is decided after %d passes", maxPasses)
}

// trial notes that a VirtualMachine would have been created.
type trial struct {
	client.Client
	admitted bool
}

// Create implements client.Client.
func (c *trial) Create(ctx context.Context, object client.Object, options ...client.CreateOption) error {
	err := c.Client.Create(ctx, object, options...)
	if _, ok := object.(*kubevirtv1.VirtualMachine); ok && err == nil {
		c.admitted = true
	}
	return err
}

// giveAddresses does what operators of addresses do.
func giveAddresses(ctx context.Context, supervisor client.Client) error {
	list := &vitistackv1alpha1.NetworkConfigurationList{}
	if err := supervisor.List(ctx, list, client.InNamespace(namespace)); err != nil {
		return err
	}
	for n := range list.Items {
		nc := &list.Items[n]
		nc.Status.NetworkInterfaces = nil
		for i, nic := range nc.Spec.NetworkInterfaces {
			nic.IPv6Addresses = []string{fmt.Sprintf("2001:db8:%d::%d/64", n, 10+i)}
			if nc.Spec.NetworkNamespaceName != "static6" {
				nic.IPv4Addresses = []string{fmt.Sprintf("10.0.1.%d", 10+i)}
			}
			nc.Status.NetworkInterfaces = append(nc.Status.NetworkInterfaces, nic)
		}
		if err := supervisor.Status().Update(ctx, nc); err != nil {
			return err
		}
	}
	return nil
}

// surroundings are what Machines may name in the supervisor.
func surroundings() []client.Object {
	network := func(name, kind string, vlan int) *vitistackv1alpha1.NetworkNamespace {
		nn := &vitistackv1alpha1.NetworkNamespace{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		nn.Spec.IPAllocation = &vitistackv1alpha1.NetworkNamespaceIPAllocation{Type: vitistackv1alpha1.IPAllocationType(kind)}
		if kind == string(vitistackv1alpha1.IPAllocationTypeStatic) {
			nn.Spec.IPAllocation.Static = &vitistackv1alpha1.StaticIPAllocationConfig{IPv4CIDR: "10.0.1.0/24",
				IPv4Gateway: "10.0.1.1"}
		}
		nn.Status.Phase, nn.Status.VlanID = "Ready", vlan
		return nn
	}
	class := func(name string, enabled bool) *vitistackv1alpha1.MachineClass {
		c := &vitistackv1alpha1.MachineClass{ObjectMeta: metav1.ObjectMeta{Name: name}}
		c.Spec.Enabled, c.Spec.CPU.Cores, c.Spec.Memory.Quantity = ptr.To(enabled), 1, resource.MustParse("512Mi")
		return c
	}
	meta := metav1.ObjectMeta{Namespace: namespace, Name: "source"}
	return []client.Object{
		network("pod", "dhcp", 0), network("dhcp", "dhcp", 20), network("storage", "dhcp", 30),
		network("static", "static", 10), network("static6", "static", 40),
		class("tiny", true), class("disabled", false),
		&corev1.Secret{ObjectMeta: meta, Data: map[string][]byte{"userdata": []byte("#cloud-config\npassword: " + marker),
			"networkdata": []byte("version: 2\n")}},
		&corev1.ConfigMap{ObjectMeta: meta, Data: map[string]string{"userdata": "#cloud-config\n"}},
	}
}

// TestTheJudgeIsThere: a test in which everything is admitted proves something only if not
// everything would be.
func TestTheJudgeIsThere(t *testing.T) {
	vm := &kubevirtv1.VirtualMachine{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "bad"}}
	vm.Spec.RunStrategy = ptr.To(kubevirtv1.RunStrategyAlways)
	vm.Spec.Template = &kubevirtv1.VirtualMachineInstanceTemplateSpec{}
	vm.Spec.Template.Spec.Domain.Devices.Disks = []kubevirtv1.Disk{{Name: "without-a-volume"}}
	err := server.Create(t.Context(), vm, client.DryRunAll)
	if err == nil || !strings.Contains(err.Error(), "spec.template.spec.domain.devices.disks[0]") {
		t.Errorf("KubeVirt's webhook says %v to a disk without a volume", err)
	}
}

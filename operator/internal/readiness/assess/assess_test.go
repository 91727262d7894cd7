package assess_test

import (
	"errors"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/app"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/readiness"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/readiness/assess"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

const gi = int64(1 << 30)

func machine(ledger *vitistackv1alpha1.Ledger) *vitistackv1alpha1.Machine {
	m := &vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "web", UID: "machine-uid"},
		Spec: vitistackv1alpha1.MachineSpec{
			InstanceType: "medium", CloudInit: &vitistackv1alpha1.MachineCloudInit{UserData: "#cloud-config\n"},
		},
	}
	if ledger != nil {
		m.Annotations = map[string]string{vitistackv1alpha1.AnnotationPlacement: ledger.String()}
	}
	return m
}

// grown is a virtual machine that was changed since it was made: 8 Gi, and a disk of 30 Gi.
func grown() []client.Object {
	vm := &kubevirtv1.VirtualMachine{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "vm-web", UID: "vm-uid"}}
	vm.Spec.Template = &kubevirtv1.VirtualMachineInstanceTemplateSpec{}
	vm.Spec.Template.Spec.Domain.Memory = &kubevirtv1.Memory{Guest: ptr.To(resource.MustParse("8Gi"))}
	vm.Spec.Template.Spec.Volumes = []kubevirtv1.Volume{{Name: "root", VolumeSource: kubevirtv1.VolumeSource{
		DataVolume: &kubevirtv1.DataVolumeSource{Name: "vm-web-root"},
	}}}
	claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "vm-web-root"}}
	claim.Status.Capacity = corev1.ResourceList{corev1.ResourceStorage: resource.MustParse("30Gi")}
	return []client.Object{vm, claim}
}

// world has a supervisor with a Machine and one remote cluster.
func world(
	t *testing.T, m *vitistackv1alpha1.Machine, remote ...client.Object,
) (*assess.Assessor, *clientmgr.MockClientManager) {
	t.Helper()
	scheme, err := app.NewScheme()
	if err != nil {
		t.Fatal(err)
	}
	supervisor := fake.NewClientBuilder().WithScheme(scheme).WithObjects(m,
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "team-a", Labels: map[string]string{"tier": "gold"}}}).
		WithIndex(m, clientmgr.IndexConfig, clientmgr.ByConfig).Build()
	remotes := clientmgr.NewMockClientManager()
	remotes.SupervisorClient = supervisor
	remotes.AddMockedClient("east", fake.NewClientBuilder().WithScheme(scheme).WithObjects(remote...).Build())
	return assess.New(remotes, assess.Options{
		Supervisor: side.SupervisorCache{Reader: supervisor}, Live: side.SupervisorServer{Reader: supervisor},
		Desired: desired.Options{SupervisorUID: "supervisor-uid"}, VMNamePrefix: "vm-",
	}), remotes
}

// TestNeeds: what exists counts, where it can be read; else what the Machine asks for.
func TestNeeds(t *testing.T) {
	ledger := vitistackv1alpha1.Ledger{
		Config: "east", ClusterUID: "c", Namespace: "team-a", VMName: "vm-web", Nonce: "n", VMUID: "vm-uid",
	}
	another := ledger
	another.VMUID = "another"
	cases := map[string]struct {
		reason string
		ledger *vitistackv1alpha1.Ledger
		silent bool
		memory int64
		disk   int64
	}{
		"exists":        {reason: "what it has become is what it needs", ledger: &ledger, memory: 8 * gi, disk: 30 * gi},
		"is not placed": {reason: "the operator would make it", memory: 2 * gi, disk: 10 * gi},
		"cannot be read": {
			reason: "a cluster that is silent hides only how it was changed", ledger: &ledger, silent: true,
			memory: 2 * gi, disk: 10 * gi,
		},
		"is another one": {
			reason: "a virtual machine that the record does not name is not read", ledger: &another, memory: 2 * gi, disk: 10 * gi,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := machine(tc.ledger)
			assessor, remotes := world(t, m, grown()...)
			if tc.silent {
				remotes.LiveFunc = func(string) (client.Reader, error) { return nil, errors.New("silent") }
			}
			got, err := assessor.Needs(t.Context(), m)
			if err != nil {
				t.Fatal(err)
			}
			if got.Size.MemoryBytes != tc.memory || len(got.Disks) != 1 || got.Disks[0].Bytes != tc.disk ||
				got.VM.Name != "vm-web" || got.MachineUID != "machine-uid" {
				t.Errorf("%s: %+v", tc.reason, got)
			}
			secret := readiness.Right{Verb: "create", Resource: "secrets", Namespace: "team-a"}
			if n := count(got.Rights, secret); n != 1 {
				t.Errorf("%s: the right to write cloud-init is needed %d times", tc.reason, n)
			}
		})
	}
}

func count(all []readiness.Right, one readiness.Right) int {
	n := 0
	for _, each := range all {
		if each == one {
			n++
		}
	}
	return n
}

// TestNeedsOfNone: a Machine that cannot become a virtual machine has no needs.
func TestNeedsOfNone(t *testing.T) {
	m := machine(nil)
	m.Spec.RunStrategy = "Sometimes"
	assessor, _ := world(t, m)
	if _, err := assessor.All(t.Context(), m); err == nil {
		t.Error("it has")
	}
}

// TestTargets: what a KubevirtConfig says about the Machine's namespace.
func TestTargets(t *testing.T) {
	gold := &metav1.LabelSelector{MatchLabels: map[string]string{"tier": "gold"}}
	lead := &metav1.LabelSelector{MatchLabels: map[string]string{"tier": "lead"}}
	cases := map[string]struct {
		spec vitistackv1alpha1.KubevirtConfigSpec
		want readiness.Door
	}{
		"open":   {want: readiness.Door{Allowed: true}},
		"paused": {spec: vitistackv1alpha1.KubevirtConfigSpec{Paused: true}, want: readiness.Door{Paused: true, Allowed: true}},
		"allowed": {
			spec: vitistackv1alpha1.KubevirtConfigSpec{AllowedNamespaces: &vitistackv1alpha1.AllowedNamespaces{Selector: gold}},
			want: readiness.Door{Allowed: true},
		},
		"not allowed": {
			spec: vitistackv1alpha1.KubevirtConfigSpec{AllowedNamespaces: &vitistackv1alpha1.AllowedNamespaces{Selector: lead}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := machine(nil)
			assessor, _ := world(t, m)
			configs := []vitistackv1alpha1.KubevirtConfig{{ObjectMeta: metav1.ObjectMeta{Name: "east"}, Spec: tc.spec}}
			targets := assessor.Targets(t.Context(), m, configs)
			if len(targets) != 1 || targets[0].Door.Value != tc.want || targets[0].Machines.Value != 0 ||
				targets[0].Machines.Missing != nil {
				t.Errorf("%+v", targets)
			}
		})
	}
}

// TestOne judges one cluster, and knows which there are.
func TestOne(t *testing.T) {
	m := machine(nil)
	assessor, _ := world(t, m)
	report, err := assessor.One(t.Context(), m, "east")
	if err != nil || report.Config != "east" || len(report.Checks) == 0 {
		t.Errorf("%+v, %v", report, err)
	}
	if _, err := assessor.One(t.Context(), m, "moon"); !errors.Is(err, clientmgr.ErrConfigNotFound) {
		t.Errorf("a cluster that does not exist: %v", err)
	}
	all, err := assessor.All(t.Context(), m)
	if err != nil || len(all) != 1 {
		t.Errorf("%+v, %v", all, err)
	}
}

package desired_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/yaml"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// earlier is what an earlier release made of a scenario: a file of testdata/earlier, which is never
// written again.
type earlier struct {
	VirtualMachine        *kubevirtv1.VirtualMachine               `json:"virtualMachine"`
	NetworkConfigurations []vitistackv1alpha1.NetworkConfiguration `json:"networkConfigurations"`
}

func readEarlier(t *testing.T, name string) earlier {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "earlier", name+".yaml"))
	if err != nil {
		t.Fatal(err)
	}
	var made earlier
	if err := yaml.Unmarshal(text, &made); err != nil {
		t.Fatal(err)
	}
	return made
}

// TestEarlierRelease takes over all that an earlier release made, whatever became of networks and
// classes since, and changes nothing.
func TestEarlierRelease(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("testdata", "earlier", "*.yaml"))
	if err != nil || len(paths) < 20 {
		t.Fatalf("found %d files: %v", len(paths), err)
	}
	more := []vitistackv1alpha1.NetworkNamespace{named(dhcpNetwork(77), "new-a"), named(dhcpNetwork(78), "new-b")}
	for _, path := range paths {
		name := filepath.Base(path[:len(path)-len(".yaml")])
		s := scenarios()[name]
		s.options.SupervisorUID = supervisorUID
		for state, networks := range map[string][]vitistackv1alpha1.NetworkNamespace{
			"as they were": s.networks, "gone": nil, "several more": append(more, s.networks...), "others": more,
		} {
			for _, class := range []*vitistackv1alpha1.MachineClass{s.class, nil, machineClass("big", 64, "512Gi")} {
				t.Run(name+"/"+state, func(t *testing.T) { takesOver(t, s, readEarlier(t, name), networks, class) })
			}
		}
	}
}

func takesOver(
	t *testing.T, s scenario, made earlier, networks []vitistackv1alpha1.NetworkNamespace,
	class *vitistackv1alpha1.MachineClass,
) {
	t.Helper()
	record, err := desired.Attach(desired.AttachInput{
		Machine: s.machine, VM: made.VirtualMachine, Configurations: made.NetworkConfigurations, NetworkNamespaces: networks,
		Options: s.options,
	})
	if err != nil {
		t.Fatalf("Attach(...): %v", err)
	}
	if _, err := vitistackv1alpha1.ParseNetworkRecord(record.String()); err != nil {
		t.Errorf("the record cannot be read again: %v", err)
	}
	text := made.VirtualMachine.Annotations[vitistackv1alpha1.AnnotationAppliedWish]
	last, err := desired.ParseWish(text)
	if err != nil {
		t.Fatal(err)
	}
	in := desired.Input{
		Machine: s.machine, Class: class, Network: record, Last: &last, Options: s.options,
		Ledger: vitistackv1alpha1.Ledger{Namespace: "team-a", VMName: made.VirtualMachine.Name, Nonce: nonce},
	}
	now, err := desired.NewWish(in, &last)
	if err != nil {
		t.Fatalf("NewWish(...): %v", err)
	}
	if diff := cmp.Diff(text, now.String()); diff != "" {
		t.Errorf("the wish is another text: -want +got:\n%s", diff)
	}
	if parts := partsOf(t, in, made.VirtualMachine, now, last); len(parts) != 0 {
		t.Errorf("want no change, got %+v", parts)
	}
	for i := range made.NetworkConfigurations {
		old := &made.NetworkConfigurations[i]
		nc, err := desired.NetworkConfiguration(desired.NetworkConfigurationInput{
			Machine: s.machine, Record: record, Name: old.Name, Existing: old, Options: s.options,
		})
		if err != nil {
			t.Fatalf("NetworkConfiguration(...): %v", err)
		}
		want := old.DeepCopy()
		want.Finalizers = []string{vitistackv1alpha1.FinalizerNetworkConfiguration}
		if diff := cmp.Diff(want, nc); diff != "" {
			t.Errorf("NetworkConfiguration %s: -want +got:\n%s", old.Name, diff)
		}
	}
}

func partsOf(t *testing.T, in desired.Input, live *kubevirtv1.VirtualMachine, now, last desired.Wish) []desired.Part {
	t.Helper()
	wanted, err := desired.VirtualMachine(in)
	if err != nil {
		t.Fatalf("VirtualMachine(...): %v", err)
	}
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(live)
	if err != nil {
		t.Fatal(err)
	}
	before := runtime.DeepCopyJSON(object)
	parts, err := desired.Change{Live: object, Wanted: wanted, Now: now, Last: last}.Parts()
	if err != nil {
		t.Fatalf("Parts(): %v", err)
	}
	if diff := cmp.Diff(before, object); diff != "" {
		t.Errorf("Live was changed: %s", diff)
	}
	return parts
}

// TestEarlierExtraInterfaces: an earlier release plugged an interface in whenever a
// NetworkNamespace was renumbered. Those that are there stay, and none is taken for another.
func TestEarlierExtraInterfaces(t *testing.T) {
	vm := liveVM([2]string{"default", ""}, [2]string{"vlan30", "vlan30"}, [2]string{"vlan31", "vlan31"})
	m, networks := onNetwork(""), nns{lan(31)}
	in := desired.Input{
		Machine: m, Options: options(), Ledger: vitistackv1alpha1.Ledger{Namespace: "team-a", VMName: "vm-web"},
		Network: vitistackv1alpha1.NetworkRecord{Attachments: []vitistackv1alpha1.Attachment{{Interface: "vlan31"}}},
	}
	last, err := desired.NewWish(in, nil)
	if err != nil {
		t.Fatal(err)
	}
	last.Asked = nil
	vm.Annotations = map[string]string{vitistackv1alpha1.AnnotationAppliedWish: last.String()}
	nc := vitistackv1alpha1.NetworkConfiguration{}
	nc.Namespace, nc.Name, nc.Labels = "team-a", "web", desired.Labels(m, options())
	nc.Spec.NetworkNamespaceName = "lan"
	for _, name := range []string{"vlan31", "default", "vlan30"} {
		mac, err := desired.MAC(machineUID, name, "")
		if err != nil {
			t.Fatal(err)
		}
		nc.Spec.NetworkInterfaces = append(nc.Spec.NetworkInterfaces,
			vitistackv1alpha1.NetworkConfigurationInterface{Name: name, MacAddress: mac})
	}
	in.Network, err = desired.Attach(desired.AttachInput{
		Machine: m, VM: vm, Configurations: []vitistackv1alpha1.NetworkConfiguration{nc}, NetworkNamespaces: networks,
		Options: options(),
	})
	if err != nil {
		t.Fatal(err)
	}
	in.Last = &last
	now, err := desired.NewWish(in, &last)
	if err != nil {
		t.Fatal(err)
	}
	if parts := partsOf(t, in, vm, now, last); len(parts) != 0 || len(in.Network.Attachments) != 3 {
		t.Errorf("want three attachments and no change, got %v and %+v", brief(in.Network), parts)
	}
}

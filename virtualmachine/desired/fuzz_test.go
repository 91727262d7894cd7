package desired_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// encoded is a value as a seed.
func encoded(f *testing.F, value any) []byte {
	f.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		f.Fatal(err)
	}
	return text
}

// placed gives a Machine what it has in each API server: a UID, a namespace and a valid name.
func placed(m *vitistackv1alpha1.Machine) {
	m.UID, m.Namespace = machineUID, "team-a"
	if len(validation.IsDNS1123Subdomain(m.Name)) > 0 {
		m.Name = "m"
	}
}

// isStored says whether an API server may have such NetworkNamespaces.
func isStored(networks []vitistackv1alpha1.NetworkNamespace) bool {
	return !slices.ContainsFunc(networks, func(nn vitistackv1alpha1.NetworkNamespace) bool {
		return len(validation.IsDNS1123Subdomain(nn.Name)) > 0
	})
}

// FuzzVirtualMachine makes all that a Machine asks for, whatever a person wrote into it, its class
// and its networks. What is refused is refused by a typed error that can be shown. What is made is
// made the same twice, from an input that nobody changed, and holds together.
func FuzzVirtualMachine(f *testing.F) {
	for _, s := range scenarios() {
		f.Add(encoded(f, s.machine), encoded(f, s.class), encoded(f, s.networks), encoded(f, s.given), s.vmPrefix)
	}
	f.Fuzz(func(t *testing.T, machine, class, networks, given []byte, prefix string) {
		s := scenario{machine: &vitistackv1alpha1.Machine{}, vmPrefix: prefix, options: options()}
		for _, document := range []struct {
			text []byte
			into any
		}{{machine, s.machine}, {class, &s.class}, {networks, &s.networks}, {given, &s.given}} {
			if json.Unmarshal(document.text, document.into) != nil {
				return // an API server hands out only what is of its type
			}
		}
		if s.machine == nil || !isStored(s.networks) {
			return
		}
		placed(s.machine)
		before := s.machine.DeepCopy()
		all, err := s.make()
		again, errAgain := s.make()
		if !reflect.DeepEqual(before, s.machine) {
			t.Error("the Machine was changed")
		}
		if reasonOf(err) != reasonOf(errAgain) || err == nil && !reflect.DeepEqual(all, again) {
			t.Errorf("two results of one input: %v and %v", err, errAgain)
		}
		if err != nil {
			checkError(t, err)
			return
		}
		checkWhole(t, s.machine, all.VirtualMachine.(*kubevirtv1.VirtualMachine))
		checkRecorded(t, *all.NetworkRecord)
	})
}

// checkError holds for each error that reaches a condition.
func checkError(t *testing.T, err error) {
	t.Helper()
	var refusal *desired.Refusal
	var wait *desired.Wait
	switch {
	case !errors.As(err, &refusal) && !errors.As(err, &wait):
		t.Errorf("neither a refusal nor a wait: %v", err)
	case !utf8.ValidString(err.Error()), strings.ContainsFunc(err.Error(), unicode.IsControl):
		t.Errorf("characters that are not shown: %q", err)
	}
}

// checkRecorded: a record that was decided can be written down, and is read as the same.
func checkRecorded(t *testing.T, record vitistackv1alpha1.NetworkRecord) {
	t.Helper()
	read, err := vitistackv1alpha1.ParseNetworkRecord(record.String())
	if err != nil {
		t.Errorf("the record cannot be read again: %v: %s", err, record)
	} else if read.String() != record.String() {
		t.Errorf("%s is read as %s", record, read)
	}
}

// checkWhole holds for each VirtualMachine that is made: its names are valid and different from
// each other, each device has what it refers to, and it is ours.
func checkWhole(t *testing.T, machine *vitistackv1alpha1.Machine, vm *kubevirtv1.VirtualMachine) {
	t.Helper()
	spec := vm.Spec.Template.Spec
	named := names{t: t}
	named.unique("VirtualMachine", vm.Name)
	volumes, claims := map[string]bool{}, map[string]bool{}
	for _, template := range vm.Spec.DataVolumeTemplates {
		named.unique("DataVolume", template.Name)
		claims[template.Name] = true
		if size := template.Spec.Storage.Resources.Requests.Storage(); size.Sign() <= 0 {
			t.Errorf("DataVolume %s has %s", template.Name, size)
		}
	}
	for _, volume := range spec.Volumes {
		named.unique("volume", volume.Name)
		volumes[volume.Name] = true
		if volume.DataVolume != nil && !claims[volume.DataVolume.Name] {
			t.Errorf("volume %s is of no DataVolume of its own", volume.Name)
		}
	}
	boots := map[uint]bool{}
	boot := func(order *uint) {
		if order != nil && (*order == 0 || boots[*order]) {
			t.Errorf("two devices are number %d to boot from", *order)
		}
		if order != nil {
			boots[*order] = true
		}
	}
	for _, disk := range spec.Domain.Devices.Disks {
		named.unique("disk", disk.Name)
		if !volumes[disk.Name] {
			t.Errorf("disk %s has no volume", disk.Name)
		}
		boot(disk.BootOrder)
	}
	for i, nic := range spec.Domain.Devices.Interfaces {
		named.unique("interface", nic.Name)
		if mac, ok := desired.ParseMAC(nic.MacAddress); !ok || mac != nic.MacAddress || spec.Networks[i].Name != nic.Name {
			t.Errorf("interface %s has the address %q and network %s", nic.Name, nic.MacAddress, spec.Networks[i].Name)
		}
		boot(nic.BootOrder)
	}
	if len(spec.Domain.Devices.Disks) != len(volumes) || len(spec.Networks) != len(spec.Domain.Devices.Interfaces) {
		t.Errorf("%d disks, %d volumes, %d networks", len(spec.Domain.Devices.Disks), len(volumes), len(spec.Networks))
	}
	checkSized(t, vm)
	for _, labels := range []map[string]string{vm.Labels, vm.Spec.Template.ObjectMeta.Labels} {
		if !desired.IsOurs(labels, machine.UID, supervisorUID) {
			t.Errorf("it is not ours: %v", labels)
		}
		for key, value := range labels {
			if len(validation.IsValidLabelValue(value)) > 0 {
				t.Errorf("label %s is %q", key, value)
			}
		}
	}
}

func checkSized(t *testing.T, vm *kubevirtv1.VirtualMachine) {
	t.Helper()
	domain := vm.Spec.Template.Spec.Domain
	sized := domain.CPU != nil && domain.CPU.Cores > 0 && domain.CPU.Sockets > 0 && domain.CPU.Threads > 0 &&
		domain.Memory != nil && domain.Memory.Guest != nil && domain.Memory.Guest.Sign() > 0
	if typed := vm.Spec.Instancetype != nil; typed == sized {
		t.Errorf("its instance type is %v, its own size is %v", vm.Spec.Instancetype, sized)
	}
}

// names are those of one kind each, which must be DNS labels and differ.
type names struct {
	t    *testing.T
	seen map[string]bool
}

func (n *names) unique(kind, name string) {
	n.t.Helper()
	if n.seen == nil {
		n.seen = map[string]bool{}
	}
	if problems := validation.IsDNS1123Label(name); len(problems) > 0 {
		n.t.Errorf("the %s is called %q: %v", kind, name, problems)
	}
	if n.seen[kind+" "+name] {
		n.t.Errorf("two of the kind %s are called %q", kind, name)
	}
	n.seen[kind+" "+name] = true
}

// FuzzNames names what belongs to two Machines: valid where a name is given at all, always the same,
// and different for different Machines, disks and prefixes.
func FuzzNames(f *testing.F) {
	for _, name := range []string{"web", "a.b", "a-b", strings.Repeat("a", 64), strings.Repeat("long.", 50) + "end", "A_b", "",
		"abc123-worker-gpu-pool-7", "vm-a-b-40f769438e11819f", "é", "a\n"} {
		f.Add("vm-", name, "a-b", "root", string(machineUID))
		f.Add("", "a.b", name, name, name)
	}
	f.Fuzz(func(t *testing.T, prefix, one, other, disk, uid string) {
		vm, err := desired.VMName(prefix, one)
		if err != nil {
			checkError(t, err)
			return
		}
		named := names{t: t}
		named.unique("VirtualMachine", vm)
		if again, err := desired.VMName(prefix, one); again != vm || err != nil {
			t.Errorf("%q is called %q, then %q: %v", one, vm, again, err)
		}
		if second, err := desired.VMName(prefix, other); err == nil && one != other {
			named.unique("VirtualMachine", second)
		}
		for _, machine := range []string{one, other} {
			if len(validation.IsDNS1123Subdomain(machine)) > 0 {
				continue // no Machine is called so
			}
			if name := desired.NetworkConfigurationName(machine); len(name) < 2 || len(name) > 32 ||
				strings.ContainsFunc(name, func(r rune) bool { return r > unicode.MaxASCII || r == '.' || unicode.IsControl(r) }) {
				t.Errorf("the NetworkConfiguration of %q is called %q", machine, name)
			}
			if value := desired.LabelValue(machine); len(validation.IsValidLabelValue(value)) > 0 {
				t.Errorf("the label of %q is %q", machine, value)
			}
		}
		if one != other && desired.LabelValue(one) == desired.LabelValue(other) {
			t.Errorf("%q and %q have one label", one, other)
		}
		if len(validation.IsDNS1123Label(disk)) > 0 {
			return // no disk is called so
		}
		named.unique("DataVolume", desired.DataVolumeName(vm, disk, types.UID(uid)))
		named.unique("DataVolume", desired.DataVolumeName(vm, disk+"x", types.UID(uid)))
		named.unique("Secret", desired.CloudInitSecretName(vm, types.UID(uid)))
	})
}

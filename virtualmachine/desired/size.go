package desired

import (
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Size is the processor and memory of a virtual machine.
type Size struct {
	// Cores a socket, Sockets and Threads a core: all at least 1.
	Cores, Sockets, Threads uint32
	// Memory in bytes, a multiple of 1 MiB.
	Memory int64
}

const (
	mebibyte = 1 << 20
	gibibyte = 1 << 30
	// maxTopology bounds each number of a processor's topology, so that their product stays far
	// from overflowing.
	maxTopology = 1024
)

var (
	defaultSize = Size{Cores: 2, Sockets: 1, Threads: 1, Memory: 2 * gibibyte}

	// builtInSizes are those of instance types for which there need not be a MachineClass.
	builtInSizes = map[string]Size{
		"small":  {Cores: 1, Sockets: 1, Threads: 1, Memory: 1 * gibibyte},
		"medium": {Cores: 2, Sockets: 1, Threads: 1, Memory: 2 * gibibyte},
		"large":  {Cores: 4, Sockets: 1, Threads: 1, Memory: 4 * gibibyte},
	}
)

// ClassName is the name of the MachineClass that a Machine asks for, by machineClass or by the
// older instanceType, "" if it asks for none. A [*Refusal] of reason ClassesDiffer says that it
// asks for two.
func ClassName(machine *vitistackv1alpha1.Machine) (string, error) {
	newer, older := machine.Spec.MachineClass, machine.Spec.InstanceType
	if newer != "" && older != "" && newer != older {
		return "", refuse(vitistackv1alpha1.ReasonClassesDiffer,
			"machineClass %q and instanceType %q mean the same and differ: set one of them", newer, older)
	}
	return or(newer, older), nil
}

// DefaultClass is the MachineClass of Machines that ask for none: of the enabled ones that are
// marked as default and meant for us the newest, as Kubernetes chooses among default storage
// classes. nil where there is none.
func DefaultClass(classes []vitistackv1alpha1.MachineClass, options Options) *vitistackv1alpha1.MachineClass {
	var best *vitistackv1alpha1.MachineClass
	for i := range classes {
		c := &classes[i]
		if !c.Spec.Default || !c.IsEnabled() || !meantFor(c.Spec.MachineProviders, options.MachineProviders) {
			continue
		}
		if best == nil || best.CreationTimestamp.Before(&c.CreationTimestamp) ||
			best.CreationTimestamp.Equal(&c.CreationTimestamp) && c.Name < best.Name {
			best = c
		}
	}
	return best.DeepCopy()
}

// SizeFor is the size of a Machine: that of the class, changed field by field by what the Machine
// says itself. class is the MachineClass of the name that [ClassName] gives, or of [DefaultClass]
// where that gives none; nil where there is no such class: small, medium and large then have
// built-in sizes, and a Machine that asks for none has 2 cores and 2 GiB. A [*Refusal] has one of
// the reasons ClassesDiffer, UnknownClass, ClassDisabled and InvalidSpec.
func SizeFor(machine *vitistackv1alpha1.Machine, class *vitistackv1alpha1.MachineClass, options Options) (Size, error) {
	name, err := ClassName(machine)
	if err != nil {
		return Size{}, err
	}
	size := defaultSize
	if name != "" || class != nil {
		if size, err = classSize(name, class, options); err != nil {
			return Size{}, err
		}
	}
	cpu := machine.Spec.CPU
	if err := size.override(int64(cpu.Cores), int64(cpu.Sockets), int64(cpu.ThreadsPerCore),
		machine.Spec.Memory); err != nil {
		return Size{}, err
	}
	return size, nil
}

// KeptSize returns the size of a Machine whose VirtualMachine exists. What the Machine says itself
// counts. Everything else stays as last has it, whatever became of the class: a class that is
// edited, disabled or deleted changes no VirtualMachine. Only where the Machine itself asks for
// another class, or takes a number of its own back, class is read. class and errors are as for
// [SizeFor].
func KeptSize(
	machine *vitistackv1alpha1.Machine, class *vitistackv1alpha1.MachineClass, last Wish, options Options,
) (Size, error) {
	asked, err := sizeAsked(machine)
	if err != nil {
		return Size{}, err
	}
	if !last.hasClassOf(asked) {
		return SizeFor(machine, class, options)
	}
	var fresh Size
	if last.Asked != nil && last.Asked.takenBack(asked) {
		if fresh, err = SizeFor(machine, class, options); err != nil {
			return Size{}, err
		}
	}
	before := or(last.Asked, &asked)
	return Size{
		Cores:   kept(asked.Cores, before.Cores, last.Cores, fresh.Cores),
		Sockets: kept(asked.Sockets, before.Sockets, last.Sockets, fresh.Sockets),
		Threads: kept(asked.Threads, before.Threads, last.Threads, fresh.Threads),
		Memory:  kept(asked.Memory, before.Memory, last.Memory, fresh.Memory),
	}, nil
}

// kept returns one number of a size: the Machine's own, else the class's where the Machine had one
// of its own before, else the last.
func kept[T comparable](asked, before, last, fresh T) T {
	var none T
	if asked == none && before != none {
		return fresh
	}
	return or(asked, last)
}

// size returns the size of a virtual machine that is made, or the one that an existing one keeps.
func (in Input) size() (Size, error) {
	switch {
	case in.Last == nil:
		return SizeFor(in.Machine, in.Class, in.Options)
	case in.Machine.Annotations[vitistackv1alpha1.AnnotationInstancetype] != "":
		return Size{}, nil // the remote cluster's instance type gives it
	}
	if resizes, err := Resizes(in.Machine, *in.Last); err != nil || resizes {
		return in.freshSize(err)
	}
	return KeptSize(in.Machine, in.Class, *in.Last, in.Options)
}

// freshSize reads the class anew. The class of a Machine that names none is the one that gave the
// size. A class that is gone gives no size: a built-in one of its name may be far smaller.
func (in Input) freshSize(err error) (Size, error) {
	if err != nil {
		return Size{}, err
	}
	name, err := ClassName(in.Machine)
	if err != nil {
		return Size{}, err
	}
	if gave := in.Last.Class; in.Class == nil && gave != "" && (name == "" || name == gave) {
		return Size{}, refuse(vitistackv1alpha1.ReasonUnknownClass,
			"MachineClass %q, which gave the size, is gone: create it again, or name another one in spec.machineClass", gave)
	}
	return SizeFor(in.Machine, in.Class, in.Options)
}

// Resizes reports whether a Machine asks for the sizes of its class anew, by a token in its annotation
// vitistack.io/resize that its VirtualMachine does not carry in last. A [*Refusal] of reason
// InvalidSpec says that the token is too long.
func Resizes(machine *vitistackv1alpha1.Machine, last Wish) (bool, error) {
	token, err := resizeToken(machine)
	return token != "" && token != last.Resize, err
}

func resizeToken(machine *vitistackv1alpha1.Machine) (string, error) {
	token := machine.Annotations[vitistackv1alpha1.AnnotationResize]
	if token != "" && !vitistackv1alpha1.IsGuestToken(token) {
		return "", invalid("annotation %s has more than %d bytes: give it a shorter token",
			vitistackv1alpha1.AnnotationResize, vitistackv1alpha1.MaxGuestToken)
	}
	return token, nil
}

// SizeAsked is what a Machine itself says about its size. Numbers that it leaves to its class are
// 0.
type SizeAsked struct {
	// Class is the name of the class that it asks for, "" for the default one.
	Class string `json:",omitempty"`
	// Cores a socket, Sockets, Threads a core, and Memory in bytes.
	Cores   uint32 `json:",omitempty"`
	Sockets uint32 `json:",omitempty"`
	Threads uint32 `json:",omitempty"`
	Memory  int64  `json:",omitempty"`
}

func sizeAsked(machine *vitistackv1alpha1.Machine) (SizeAsked, error) {
	name, err := ClassName(machine)
	if err != nil {
		return SizeAsked{}, err
	}
	var own Size
	cpu := machine.Spec.CPU
	err = own.override(int64(cpu.Cores), int64(cpu.Sockets), int64(cpu.ThreadsPerCore), machine.Spec.Memory)
	return SizeAsked{Class: name, Cores: own.Cores, Sockets: own.Sockets, Threads: own.Threads, Memory: own.Memory}, err
}

// takenBack says whether a Machine had a number of its own that it now leaves to its class.
func (a SizeAsked) takenBack(now SizeAsked) bool {
	return a.Cores != 0 && now.Cores == 0 || a.Sockets != 0 && now.Sockets == 0 ||
		a.Threads != 0 && now.Threads == 0 || a.Memory != 0 && now.Memory == 0
}

func classSize(name string, class *vitistackv1alpha1.MachineClass, options Options) (Size, error) {
	if class == nil {
		size, found := builtInSizes[name]
		if !found {
			return Size{}, refuse(vitistackv1alpha1.ReasonUnknownClass,
				"there is no MachineClass %q, and no built-in size of that name (small, medium, large)", name)
		}
		return size, nil
	}
	if name = or(name, class.Name); class.Name != name {
		return Size{}, refuse(vitistackv1alpha1.ReasonUnknownClass, "the Machine asks for MachineClass %q, not for %q", name,
			class.Name)
	}
	if !class.IsEnabled() {
		return Size{}, refuse(vitistackv1alpha1.ReasonClassDisabled, "MachineClass %q is not enabled", name)
	}
	if !meantFor(class.Spec.MachineProviders, options.MachineProviders) {
		return Size{}, refuse(vitistackv1alpha1.ReasonClassDisabled,
			"MachineClass %q is not meant for this provider: its machineProviders do not list it", name)
	}
	size := defaultSize
	err := size.override(class.Spec.CPU.Cores, class.Spec.CPU.Sockets, class.Spec.CPU.Threads,
		class.Spec.Memory.Quantity.Value())
	if err != nil {
		return Size{}, invalid("MachineClass %q: %s", name, err)
	}
	return size, nil
}

// meantFor reports whether a class may be used: always where it lists nobody, or where nobody said
// which names are ours.
func meantFor(listed, ours []string) bool {
	if len(listed) == 0 || len(ours) == 0 {
		return true
	}
	return slices.ContainsFunc(listed, func(name string) bool { return slices.Contains(ours, name) })
}

// override replaces what is not 0.
func (s *Size) override(cores, sockets, threads, memory int64) error {
	for _, part := range []struct {
		name  string
		value int64
		into  *uint32
	}{
		{name: "cores", value: cores, into: &s.Cores},
		{name: "sockets", value: sockets, into: &s.Sockets},
		{name: "threads", value: threads, into: &s.Threads},
	} {
		if part.value < 0 || part.value > maxTopology {
			return invalid("%d %s are not between 1 and %d", part.value, part.name, maxTopology)
		}
		if part.value != 0 {
			*part.into = uint32(part.value)
		}
	}
	if memory == 0 {
		return nil
	}
	if memory < mebibyte {
		return invalid("%d bytes of memory are less than 1 MiB: memory is given in bytes", memory)
	}
	s.Memory = memory - memory%mebibyte
	return nil
}

// quantity is the memory as a quantity with a binary suffix.
func (s Size) quantity() resource.Quantity {
	return *resource.NewQuantity(s.Memory, resource.BinarySI)
}

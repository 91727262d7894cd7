package desired

import (
	"encoding/json"
	"fmt"
	"slices"

	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Wish is what a Machine asks of its VirtualMachine, as far as that can be changed once it exists.
// The VirtualMachine carries the wish that was last applied. Where the two are the same there is
// nothing to do; where they differ, only what differs is changed. Everything else belongs to the
// people and tools that look after the VirtualMachine.
type Wish struct {
	// Class is the name of the MachineClass that gave the size, "" for none.
	Class string
	// Cores a socket, Sockets and Threads a core, and Memory in bytes. All 0 where Instancetype
	// gives them.
	Cores, Sockets, Threads uint32
	Memory                  int64
	// RunStrategy, Instancetype, Preference and EvictionStrategy are the Machine's own, "" for
	// none.
	RunStrategy, Instancetype, Preference, EvictionStrategy string
	// Disks are the sizes in GiB by name, the image to install from among them.
	Disks map[string]int64
	// Interfaces are the names of those that the Machine asked for. The order has no meaning.
	Interfaces []string
	// CloudInit is a hash of what the Machine says about it, "" where it wants none. Documents in
	// Secrets and ConfigMaps have no part in it: they are read when the Machine changes.
	CloudInit string
	// Resize is the last token of the annotation vitistack.io/resize that was carried out, "" for none.
	Resize string `json:",omitempty"`
	// Asked is what the Machine itself said about its size, nil in a wish that an earlier release
	// wrote.
	Asked *SizeAsked `json:",omitempty"`
}

// NewWish returns the wish of a Machine. last is the one last applied, nil where there is none yet:
// it keeps the size that a class gave ([KeptSize]), and with it the text of a wish that an earlier
// release wrote and that still holds. Errors are those of [VirtualMachine].
func NewWish(in Input, last *Wish) (Wish, error) {
	in.Last = last
	size, err := in.size()
	if err != nil {
		return Wish{}, err
	}
	asked, err := sizeAsked(in.Machine)
	if err != nil {
		return Wish{}, err
	}
	wish, err := in.wish()
	if err != nil {
		return Wish{}, err
	}
	wish.Asked = &asked
	if wish.Instancetype == "" {
		wish.Cores, wish.Sockets, wish.Threads, wish.Memory = size.Cores, size.Sockets, size.Threads, size.Memory
	}
	if last == nil {
		return wish, nil
	}
	resizes, err := Resizes(in.Machine, *last)
	if err != nil {
		return Wish{}, err
	}
	if wish.Resize == "" {
		wish.Resize = last.Resize
	}
	if !resizes && last.hasClassOf(asked) || wish.Instancetype != "" && wish.Instancetype == last.Instancetype {
		wish.Class = last.Class
	}
	if sameNames(wish.Interfaces, last.Interfaces) {
		wish.Interfaces = slices.Clone(last.Interfaces)
	}
	if earlier := wish; last.Asked == nil {
		if earlier.Asked = nil; earlier.String() == last.String() {
			return earlier, nil
		}
	}
	return wish, nil
}

// wish returns the wish without the size.
func (in Input) wish() (Wish, error) {
	wish := Wish{
		RunStrategy: string(in.Machine.Spec.RunStrategy),
		Preference:  in.Machine.Annotations[vitistackv1alpha1.AnnotationPreference],
		Disks:       map[string]int64{},
	}
	if in.Class != nil {
		wish.Class = in.Class.Name
	}
	var err error
	if wish.Resize, err = resizeToken(in.Machine); err != nil {
		return Wish{}, err
	}
	if wish.Instancetype, err = instancetype(in.Machine); err != nil {
		return Wish{}, err
	}
	eviction, err := evictionStrategy(in.Machine)
	if err != nil {
		return Wish{}, err
	}
	wish.EvictionStrategy = string(eviction)
	disks, err := disksFor(in.Machine, StorageClasses{})
	if err != nil {
		return Wish{}, err
	}
	for _, d := range disks {
		wish.Disks[d.name] = d.gib
	}
	for _, a := range in.Network.Attachments {
		if isAsked(a) {
			wish.Interfaces = append(wish.Interfaces, a.Interface)
		}
	}
	if wantsCloudInit(in.Machine) {
		text, err := json.Marshal([]any{in.Machine.Spec.CloudInit, in.Machine.Spec.SSHKeys})
		if err != nil {
			return Wish{}, fmt.Errorf("encoding cloudInit: %w", err)
		}
		wish.CloudInit = digest(string(text), nameDigest)
	}
	return wish, nil
}

// AdoptedWish returns the wish of a Machine that takes over a VirtualMachine which carries none. It
// takes the numbers that the Machine leaves to its class from the VirtualMachine, so that it needs
// no class: the one of an adopted VirtualMachine may be long gone. Nothing is changed by it; only
// what the Machine asks for later is.
func AdoptedWish(in Input, vm *kubevirtv1.VirtualMachine) (Wish, error) {
	asked, err := sizeAsked(in.Machine)
	if err != nil {
		return Wish{}, err
	}
	last := Wish{Class: asked.Class, Asked: &asked}
	if last.Resize, err = resizeToken(in.Machine); err != nil {
		return Wish{}, err
	}
	if vm.Spec.Template != nil {
		domain := vm.Spec.Template.Spec.Domain
		if cpu := domain.CPU; cpu != nil {
			last.Cores, last.Sockets, last.Threads = cpu.Cores, cpu.Sockets, cpu.Threads
		}
		if domain.Memory != nil && domain.Memory.Guest != nil {
			last.Memory = domain.Memory.Guest.Value()
		}
	}
	return NewWish(in, &last)
}

// hasClassOf says whether a wish was made for the class that a Machine asks for. A wish of an
// earlier release names the class that gave the size, which is none for a built-in size.
func (w Wish) hasClassOf(asked SizeAsked) bool {
	switch {
	case w.Instancetype != "":
		return false
	case w.Asked != nil:
		return w.Asked.Class == asked.Class
	case asked.Class == "" || asked.Class == w.Class:
		return true
	default:
		size, builtIn := builtInSizes[asked.Class]
		return w.Class == "" && builtIn &&
			or(asked.Cores, size.Cores) == w.Cores && or(asked.Sockets, size.Sockets) == w.Sockets &&
			or(asked.Threads, size.Threads) == w.Threads && or(asked.Memory, size.Memory) == w.Memory
	}
}

// sameNames says whether two lists have the same names, in whatever order.
func sameNames(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// String returns the text that the VirtualMachine carries: JSON, always the same for the same wish.
func (w Wish) String() string {
	text, _ := json.Marshal(w) // texts and numbers: there is no error
	return string(text)
}

// ParseWish reads what String wrote, in this release or an earlier one.
func ParseWish(text string) (Wish, error) {
	var wish Wish
	if err := json.Unmarshal([]byte(text), &wish); err != nil {
		return Wish{}, fmt.Errorf("reading annotation %s: %w", vitistackv1alpha1.AnnotationAppliedWish, err)
	}
	return wish, nil
}

// Grown returns the disks that a wish wants larger than the last one, by name, with their new size
// in GiB. A [*Refusal] of reason InvalidSpec says that one is wanted smaller, which would cut off
// data.
func (w Wish) Grown(last Wish) (map[string]int64, error) {
	grown := map[string]int64{}
	for _, name := range w.diskNames() {
		switch was, gib := last.Disks[name], w.Disks[name]; {
		case was == 0:
		case gib < was && name == isoDiskName:
			return nil, invalid("annotation %s: the room of %d GiB cannot shrink to %d",
				vitistackv1alpha1.AnnotationISOSize, was, gib)
		case gib < was:
			return nil, invalid("disk %q has %d GiB and cannot shrink to %d", name, was, gib)
		case gib > was:
			grown[name] = gib
		}
	}
	return grown, nil
}

// AddsDisks reports whether a wish has disks that the last one had not.
func (w Wish) AddsDisks(last Wish) bool {
	return slices.ContainsFunc(w.diskNames(), func(name string) bool { return last.Disks[name] == 0 })
}

// diskNames are sorted.
func (w Wish) diskNames() []string {
	var names []string
	for name := range w.Disks {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

package desired

import (
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Wish is what a Machine asks of its VirtualMachine, as far as that can be changed once it exists. The VirtualMachine carries the wish that was
// last applied: where the two are the same there is nothing to do, and where they differ only what differs is changed. Everything else
// belongs to the people and tools that look after the VirtualMachine.
type Wish struct {
	// Class is the name of the MachineClass that gave the size, "" for none.
	Class string
	// Cores a socket, Sockets and Threads a core, and Memory in bytes. All 0 where Instancetype gives them.
	Cores, Sockets, Threads uint32
	Memory                  int64
	// RunStrategy, Instancetype, Preference and EvictionStrategy are the Machine's own, "" for none.
	RunStrategy, Instancetype, Preference, EvictionStrategy string
	// Disks are the sizes in GiB by name, the image to install from among them.
	Disks map[string]int64
	// Interfaces are the names, in order.
	Interfaces []string
	// CloudInit is a hash of what the Machine says about it, "" where it wants none. Texts in Secrets and ConfigMaps have no part in it: they
	// are read when the Machine changes.
	CloudInit string
}

// NewWish is the wish of a Machine. Errors are those of [VirtualMachine].
func NewWish(in Input) (Wish, error) {
	size, err := SizeFor(in.Machine, in.Class, in.Options)
	if err != nil {
		return Wish{}, err
	}
	wish := Wish{
		RunStrategy: string(in.Machine.Spec.RunStrategy), Preference: in.Machine.Annotations[vitistackv1alpha1.AnnotationPreference],
		Disks: map[string]int64{},
	}
	if in.Class != nil {
		wish.Class = in.Class.Name
	}
	if wish.Instancetype, err = instancetype(in.Machine); err != nil {
		return Wish{}, err
	}
	if wish.Instancetype == "" {
		wish.Cores, wish.Sockets, wish.Threads, wish.Memory = size.Cores, size.Sockets, size.Threads, size.Memory
	}
	eviction, err := evictionStrategy(in.Machine)
	if err != nil {
		return Wish{}, err
	}
	wish.EvictionStrategy = string(eviction)
	disks, err := disksFor(in.Machine, nil)
	if err != nil {
		return Wish{}, err
	}
	for _, d := range disks {
		wish.Disks[d.name] = d.gib
	}
	for _, a := range in.Attachments {
		wish.Interfaces = append(wish.Interfaces, a.Name)
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

// String is the text that the VirtualMachine carries: JSON, always the same for the same wish.
func (w Wish) String() string {
	text, _ := json.Marshal(w) // texts and numbers: there is no error
	return string(text)
}

// ParseWish reads what String wrote.
func ParseWish(text string) (Wish, error) {
	var wish Wish
	if err := json.Unmarshal([]byte(text), &wish); err != nil {
		return Wish{}, fmt.Errorf("reading annotation %s: %w", vitistackv1alpha1.AnnotationAppliedWish, err)
	}
	return wish, nil
}

// AsClass is a MachineClass that gives what the wish has: that of Class as far as it is known where that is no more.
func (w Wish) AsClass() *vitistackv1alpha1.MachineClass {
	class := &vitistackv1alpha1.MachineClass{ObjectMeta: metav1.ObjectMeta{Name: w.Class}}
	class.Spec.CPU = vitistackv1alpha1.MachineClassCPUSpec{Cores: int64(w.Cores), Sockets: int64(w.Sockets), Threads: int64(w.Threads)}
	class.Spec.Memory.Quantity = *resource.NewQuantity(w.Memory, resource.BinarySI)
	return class
}

// Grown are the disks that a wish wants larger than the last one, by name, with their new size in GiB. A [*Refusal] of reason InvalidSpec
// says that one is wanted smaller, which would cut off data.
func (w Wish) Grown(last Wish) (map[string]int64, error) {
	grown := map[string]int64{}
	for _, name := range w.diskNames() {
		switch was, gib := last.Disks[name], w.Disks[name]; {
		case was == 0:
		case gib < was && name == isoDiskName:
			return nil, invalid("annotation %s: the room of %d GiB cannot shrink to %d", vitistackv1alpha1.AnnotationISOSize, was, gib)
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

// isSized says whether two wishes want the same processor and memory.
func (w Wish) isSized(as Wish) bool {
	return w.Cores == as.Cores && w.Sockets == as.Sockets && w.Threads == as.Threads && w.Memory == as.Memory && w.Instancetype == as.Instancetype
}

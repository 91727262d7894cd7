package rollout

import (
	"errors"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// Sizes knows what size a Machine's class gives now. Its methods are pure.
type Sizes struct {
	byName  map[string]*vitistackv1alpha1.MachineClass
	usual   *vitistackv1alpha1.MachineClass
	options desired.Options
}

// NewSizes returns the sizes of these classes. It keeps the slice.
func NewSizes(classes []vitistackv1alpha1.MachineClass, options desired.Options) Sizes {
	s := Sizes{byName: map[string]*vitistackv1alpha1.MachineClass{}, options: options,
		usual: desired.DefaultClass(classes, options)}
	for i := range classes {
		s.byName[classes[i].Name] = &classes[i]
	}
	return s
}

// Differs reports whether a Machine is of another size than it would get now, if it asked for class;
// "" is the class that it asks for. A Machine whose size is not known, or is given by the remote
// cluster, does not differ. A [*desired.Refusal] says why no size can be given.
func (s Sizes) Differs(machine *vitistackv1alpha1.Machine, class string) (bool, error) {
	if machine.Annotations[vitistackv1alpha1.AnnotationInstancetype] != "" {
		return false, nil
	}
	asking := *machine
	if class != "" {
		asking.Spec.MachineClass, asking.Spec.InstanceType = class, ""
	}
	name, err := desired.ClassName(&asking)
	if err != nil {
		return false, err
	}
	size, err := desired.SizeFor(&asking, s.class(name), s.options)
	if err != nil {
		return false, err
	}
	if class != "" && classOf(machine) != class {
		return true, nil
	}
	cpus := int(size.Cores) * int(size.Sockets) * int(size.Threads)
	status := machine.Status
	return status.CPUs != 0 && status.CPUs != cpus || status.Memory != 0 && status.Memory != size.Memory, nil
}

// Known reports whether Machines can ask for a class.
func (s Sizes) Known(class string) error {
	machine := &vitistackv1alpha1.Machine{Spec: vitistackv1alpha1.MachineSpec{MachineClass: class}}
	_, err := desired.SizeFor(machine, s.class(class), s.options)
	return err
}

// Of is the name of the MachineClass from which a Machine has its size, "" where it has it from none.
func (s Sizes) Of(machine *vitistackv1alpha1.Machine) string {
	if machine.Annotations[vitistackv1alpha1.AnnotationInstancetype] != "" {
		return ""
	}
	name, err := desired.ClassName(machine)
	if class := s.class(name); err == nil && class != nil {
		return class.Name
	}
	return ""
}

func (s Sizes) class(name string) *vitistackv1alpha1.MachineClass {
	if name == "" {
		return s.usual
	}
	return s.byName[name]
}

// refusalOf is the reason and the message of a size that cannot be given.
func refusalOf(err error) (reason, message string) {
	var refusal *desired.Refusal
	if errors.As(err, &refusal) {
		return refusal.Reason, refusal.Message
	}
	return vitistackv1alpha1.ReasonInvalidSpec, err.Error()
}

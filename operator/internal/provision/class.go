package provision

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// Class reads the MachineClass that a Machine asks for, else the default one. nil means that there
// is none: small, medium and large then have built-in sizes. last is the wish that the existing
// VirtualMachine carries, or nil; while the Machine asks for the same class, that wish has its
// sizes, and no class is read: a class that is edited, disabled or deleted changes nothing that
// exists. Only a new token in the annotation vitistack.io/resize reads it anew.
func Class(
	ctx context.Context, cache side.SupervisorCache, machine *vitistackv1alpha1.Machine, last *desired.Wish,
	options desired.Options,
) (*vitistackv1alpha1.MachineClass, error) {
	const condition = vitistackv1alpha1.ConditionVirtualMachineReady
	name, err := desired.ClassName(machine)
	if err != nil {
		return nil, problem.Pure(err, condition)
	}
	if last != nil {
		resizes, err := desired.Resizes(machine, *last)
		switch {
		case err != nil:
			return nil, problem.Pure(err, condition)
		case !resizes && asksForSame(name, *last):
			return nil, nil
		case resizes && name == "":
			name = last.Class // the one that gave the size, whichever is the default by now
		}
	}
	if name == "" {
		classes := &vitistackv1alpha1.MachineClassList{}
		if err := cache.List(ctx, classes); err != nil {
			return nil, problem.Supervisor(err, problem.At{Condition: condition, Doing: "listing MachineClasses"})
		}
		return desired.DefaultClass(classes.Items, options), nil
	}
	class := &vitistackv1alpha1.MachineClass{}
	err = cache.Get(ctx, client.ObjectKey{Name: name}, class)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return class, problem.Supervisor(err, problem.At{Condition: condition, Doing: "reading MachineClass " + name})
}

// asksForSame reports whether a Machine asks for the class that its VirtualMachine was last sized
// for. A built-in size is a class too, also where a MachineClass of its name came later.
func asksForSame(name string, last desired.Wish) bool {
	return name == "" || name == last.Class || last.Asked != nil && name == last.Asked.Class
}

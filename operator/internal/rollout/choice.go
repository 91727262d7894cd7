package rollout

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// choice says which Machines a rollout is about.
type choice struct {
	rollout  *vitistackv1alpha1.MachineRollout
	selector labels.Selector
}

// choiceOf reads what a rollout chooses by. wrong says why it cannot be read; such a rollout chooses
// nothing, which is never more than was meant.
func choiceOf(rollout *vitistackv1alpha1.MachineRollout, configsNamespace string) (c choice, wrong string) {
	c = choice{rollout: rollout, selector: labels.Everything()}
	switch {
	case rollout.Spec.Action != vitistackv1alpha1.RolloutRestart && rollout.Spec.Action != vitistackv1alpha1.RolloutResize:
		wrong = fmt.Sprintf("spec.action %q is neither Restart nor Resize", rollout.Spec.Action)
	case rollout.Spec.AllNamespaces && configsNamespace != "" && rollout.Namespace != configsNamespace:
		wrong = fmt.Sprintf("spec.allNamespaces counts in the namespace %s alone: make this MachineRollout there",
			configsNamespace)
	case rollout.Spec.Selector != nil:
		selector, err := metav1.LabelSelectorAsSelector(rollout.Spec.Selector)
		if err != nil {
			wrong = "spec.selector cannot be read: " + err.Error()
		}
		c.selector = selector
	}
	if wrong != "" {
		c.selector = labels.Nothing()
	}
	return c, wrong
}

// chooses reports whether a Machine is one that the rollout was made for.
func (c choice) chooses(machine *vitistackv1alpha1.Machine) bool {
	spec := c.rollout.Spec
	return machine.DeletionTimestamp == nil &&
		(spec.AllNamespaces || machine.Namespace == c.rollout.Namespace) &&
		!machine.CreationTimestamp.After(c.rollout.CreationTimestamp.Time) &&
		(spec.Class == "" || classOf(machine) == spec.Class) &&
		c.selector.Matches(labels.Set(machine.Labels))
}

// classOf is the class that a Machine asks for, "" where it asks for none or for two.
func classOf(machine *vitistackv1alpha1.Machine) string {
	name, err := desired.ClassName(machine)
	if err != nil {
		return ""
	}
	return name
}

// wantsAll says whether a rollout is for all Machines that it chooses.
func wantsAll(spec *vitistackv1alpha1.MachineRolloutSpec) bool {
	if spec.Which == "" {
		return spec.Action == vitistackv1alpha1.RolloutRestart
	}
	return spec.Which == vitistackv1alpha1.RolloutAll
}

// newClass is the class that Machines change to, "" where they keep theirs.
func newClass(rollout *vitistackv1alpha1.MachineRollout) string {
	if rollout.Spec.Resize == nil || rollout.Spec.Action != vitistackv1alpha1.RolloutResize {
		return ""
	}
	return rollout.Spec.Resize.Class
}

// allowed is how many of all Machines may be not healthy at once. wrong says why that makes no sense.
func allowed(most *intstr.IntOrString, all int) (count int, wrong string) {
	if most == nil {
		return 1, ""
	}
	if most.Type == intstr.Int {
		return max(0, int(most.IntVal)), ""
	}
	share, err := intstr.GetScaledValueFromIntOrPercent(most, 100, false)
	if err != nil || share < 0 || share > 100 || !strings.HasSuffix(most.StrVal, "%") {
		return 0, fmt.Sprintf("spec.maxUnavailable %q is no number and no share from 0%% to 100%%", most.StrVal)
	}
	if share == 0 {
		return 0, ""
	}
	return max(1, all*share/100), ""
}

// older reports whether a rollout comes before another one where both want a Machine.
func older(a, b *vitistackv1alpha1.MachineRollout) bool {
	if !a.CreationTimestamp.Equal(&b.CreationTimestamp) {
		return a.CreationTimestamp.Before(&b.CreationTimestamp)
	}
	return a.UID < b.UID
}

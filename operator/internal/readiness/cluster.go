package readiness

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/version"
)

func (c court) connection() Check {
	return by(c, CheckConnection, c.facts.Connection, func(is Connection) Check {
		do := "kubectl machine cluster check " + c.facts.Config
		switch {
		case !is.Ready:
			check := c.unknown(CheckConnection, Missing{Reason: ReasonNotConnected, Message: is.Message})
			check.Do = do
			return check
		case !is.Verified:
			return Check{Verdict: Unknown, Reason: ReasonNotVerified,
				Message: "which cluster it is cannot be told: " + is.Message, Do: do}
		}
		return fine("", "connected")
	})
}

func (c court) door() Check {
	return by(c, CheckDoor, c.facts.Door, func(is Door) Check {
		config := c.facts.Config
		switch {
		case is.Terminating:
			return refused(ReasonTerminating, "", "KubevirtConfig %s is being deleted", config)
		case c.here():
			return fine("", "it is there already")
		case is.Paused:
			return refused(ReasonPaused, "set spec.paused of KubevirtConfig "+config+" to false",
				"KubevirtConfig %s is paused: it takes no new Machines", config)
		case !is.Allowed:
			return refused(ReasonNotAllowed, "ask who looks after "+config+" for spec.allowedNamespaces",
				"KubevirtConfig %s takes no Machines of namespace %s", config, c.needs.VM.Namespace)
		}
		return fine("", "takes Machines of namespace %s", c.needs.VM.Namespace)
	})
}

func (c court) name() Check {
	vm := c.needs.VM
	return by(c, CheckName, c.facts.Name, func(found *Found) Check {
		switch {
		case found == nil:
			return fine("", "%s is free", vm.Name)
		case found.Mine:
			return fine("", "its VirtualMachine %s is there", vm.Name)
		}
		return refused(ReasonNameTaken, "rename the Machine, or look whose it is: kubectl -n "+vm.Namespace+
			" get virtualmachine "+vm.Name+" --show-labels", "VirtualMachine %s/%s is there and is another one (UID %s)",
			vm.Namespace, vm.Name, found.UID)
	})
}

func (c court) kubevirt() Check {
	return by(c, CheckKubeVirt, c.facts.KubeVirt, func(is KubeVirt) Check {
		if !is.Ready {
			return refused(ReasonKubeVirt, "kubectl get kubevirts -A, in "+c.facts.Config, "%s", is.Message)
		}
		if older(is.Version, c.needs.MinKubeVirt) {
			return refused(ReasonKubeVirtOld, "update KubeVirt in "+c.facts.Config, "KubeVirt is %s, and has to be %s",
				is.Version, c.needs.MinKubeVirt)
		}
		var missing []string
		for _, gate := range c.needs.Gates {
			if !slices.Contains(is.Gates, gate) {
				missing = append(missing, gate)
			}
		}
		if len(missing) > 0 {
			return refused(ReasonGate, "add to spec.configuration.developerConfiguration.featureGates of the KubeVirt of "+
				c.facts.Config, "KubeVirt's feature gates are not set: %s", list(missing))
		}
		return fine("", "KubeVirt %s", is.Version)
	})
}

// older reports whether a version is known to be lower than the wanted one.
func older(is, wanted string) bool {
	if wanted == "" {
		return false
	}
	has, err := version.ParseGeneric(is)
	if err != nil {
		return false
	}
	least, err := version.ParseGeneric(wanted)
	return err == nil && has.LessThan(least)
}

func (c court) namespace() Check {
	name := c.needs.VM.Namespace
	return by(c, CheckNamespace, c.facts.Namespace, func(is Namespace) Check {
		switch {
		case is.Terminating:
			return refused(ReasonTerminating, "wait until it is gone", "namespace %s is being deleted there", name)
		case is.Exists:
			return fine("", "namespace %s is there", name)
		}
		return by(c, CheckNamespace, c.facts.Lacking, func(lacking []string) Check {
			if slices.Contains(lacking, makeNamespaces) {
				return refused(ReasonNamespaceAbsent, "kubectl create namespace "+name+", in "+c.facts.Config,
					"there is no namespace %s, and the operator may not make it", name)
			}
			return fine("", "the operator makes namespace %s", name)
		})
	})
}

// makeNamespaces is a right that is needed only where the namespace is missing.
const makeNamespaces = "create namespaces"

func (c court) rights() Check {
	return by(c, CheckRights, c.facts.Lacking, func(lacking []string) Check {
		lacking = slices.DeleteFunc(slices.Clone(lacking), func(right string) bool { return right == makeNamespaces })
		if len(lacking) > 0 {
			return refused(ReasonRights, "kubectl apply -k api/rbac/remote, in "+c.facts.Config,
				"the kubeconfig of %s lacks rights: %s", c.facts.Config, list(lacking))
		}
		return fine("", "all that is needed")
	})
}

// definitions is answered by the API server itself where that has accepted a dry run, which is a
// strict one.
func (c court) definitions() Check {
	if c.accepted() {
		return fine(CheckDefinitions, "the API server keeps every field")
	}
	return by(c, CheckDefinitions, c.facts.Definitions, func(all []Definition) Check {
		for _, each := range all {
			do := "install or update what brings " + each.Name + " in " + c.facts.Config
			switch {
			case each.Absent:
				return refused(ReasonDefinition, do, "there is no definition %s", each.Name)
			case len(each.Refused) > 0:
				return refused(ReasonRefused, do, "%s would be refused: %s", each.Object, list(each.Refused))
			case len(each.Dropped) > 0:
				return refused(ReasonFields, do, "%s would lose fields: %s", each.Object, list(each.Dropped))
			}
		}
		return fine("", "every field would be kept")
	})
}

// accepted reports whether the API server has said yes to the dry run.
func (c court) accepted() bool {
	return c.facts.DryRun.missing(c.now) == nil && c.facts.DryRun.Value.Accepted
}

func (c court) dryRun() Check {
	return by(c, CheckDryRun, c.facts.DryRun, func(is DryRun) Check {
		switch {
		case is.Accepted:
			return fine("", "the API server would create it")
		case is.NoNamespace:
			return Check{Verdict: Unknown, Reason: ReasonNamespaceAbsent, Minor: true,
				Message: "the API server can be asked once the namespace is there"}
		case is.Exists:
			return refused(ReasonNameTaken, "", "VirtualMachine %s is there already", c.needs.VM.Name)
		}
		return refused(ReasonRefused, "change what it refuses", "the API server would refuse it: %s",
			strings.TrimSpace(is.Message))
	})
}

func (c court) objects() Check {
	if len(c.needs.Objects) == 0 {
		return fine(CheckObjects, "it refers to none")
	}
	return by(c, CheckObjects, c.facts.Objects, func(there map[Object]bool) Check {
		var missing []string
		for _, object := range c.needs.Objects {
			if !there[object] {
				missing = append(missing, fmt.Sprintf("%s %s", object.Kind, object.Name))
			}
		}
		if len(missing) > 0 {
			return refused(ReasonObject, "copy into namespace "+c.needs.VM.Namespace+" of "+c.facts.Config,
				"it refers to what is not there: %s", list(missing))
		}
		return fine("", "all that it refers to is there")
	})
}

// instancetype looks for what the virtual machine names of the cluster's catalogue: KubeVirt admits
// one that names what is not there, and then does not start it.
func (c court) instancetype() Check {
	if c.needs.Instancetype == nil && c.needs.Preference == nil {
		return fine(CheckInstancetype, "it names none")
	}
	check := fine(CheckInstancetype, "there")
	if wanted := c.needs.Instancetype; wanted != nil {
		check = by(c, CheckInstancetype, c.facts.Instancetype, func(size *Size) Check {
			if size == nil {
				return refused(ReasonInstancetype, "create it in "+c.facts.Config, "there is no %s %s", wanted.Kind,
					wanted.Name)
			}
			return fine("", "%s %s is there", wanted.Kind, wanted.Name)
		})
	}
	if wanted := c.needs.Preference; wanted != nil && check.Verdict != No {
		preference := by(c, CheckInstancetype, c.facts.Preference, func(there bool) Check {
			if !there {
				return refused(ReasonPreference, "create it in "+c.facts.Config, "there is no %s %s", wanted.Kind, wanted.Name)
			}
			return fine("", "%s %s is there", wanted.Kind, wanted.Name)
		})
		if preference.Verdict != OK {
			check = preference
		}
	}
	return check
}

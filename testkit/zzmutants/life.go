package observer

import (
	"slices"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// life is what was seen of one object, from its first sight until it was gone.
type life struct {
	Cluster, Resource, Namespace, Name string

	UID types.UID
	// From is the first sight. Listed says that the object may be older than that.
	From   time.Time
	Listed bool
	// Until is when it was gone, zero while it is there. Returned says that it was gone before: a
	// restored etcd brought it back.
	Until    time.Time
	Returned bool
	// On are the times in which a VirtualMachine may run or an instance runs.
	On []span
	// Relisted are the begins of those spans that a list saw first: what was before is not known.
	Relisted []time.Time
	// Specs are the changes of metadata.generation, or all changes of what has none.
	Specs []specChange
	// First and Object are the first and the last sight, and Seen is when that was.
	First, Object *unstructured.Unstructured

	Seen time.Time
}

// specChange is a generation of an object and when it was seen first.
type specChange struct {
	At         time.Time
	Generation int64
	// Listed says that a list saw it, so that it may have come long before At.
	Listed bool
}

// clone is a copy whose slices nobody else changes.
func (l *life) clone() life {
	c := *l
	c.On, c.Relisted, c.Specs = slices.Clone(l.On), slices.Clone(l.Relisted), slices.Clone(l.Specs)
	return c
}

// see takes in a sight of the object.
func (l *life) see(object *unstructured.Unstructured, gone, listed bool, at time.Time) {
	if l.Object == nil || l.Object.GetResourceVersion() != object.GetResourceVersion() || gone {
		l.Seen = at
	}
	if l.First == nil {
		l.First = object
	}
	l.Object = object
	generation := object.GetGeneration()
	if generation == 0 {
		generation, _ = strconv.ParseInt(object.GetResourceVersion(), 10, 64)
	}
	if n := len(l.Specs); n == 0 || l.Specs[n-1].Generation != generation {
		l.Specs = append(l.Specs, specChange{At: at, Generation: generation, Listed: listed})
	}
	switch {
	case gone:
		l.Until = at
	case !l.Until.IsZero():
		l.Until, l.Returned = time.Time{}, true
	}
	before := len(l.On)
	if !gone && isOn(l.Resource, object) {
		if l.On = open(l.On, at); listed && len(l.On) > before {
			l.Relisted = append(l.Relisted, at)
		}
	} else {
		l.On = end(l.On, at)
	}
}

// isOn reports whether a VirtualMachine may start by itself, or an instance has not ended.
func isOn(resource string, object *unstructured.Unstructured) bool {
	switch resource {
	case virtualMachines:
		if object.GetDeletionTimestamp() != nil {
			return false
		}
		strategy, _, _ := unstructured.NestedString(object.Object, "spec", "runStrategy")
		running, _, _ := unstructured.NestedBool(object.Object, "spec", "running")
		return running || strategy != "" && strategy != "Halted"
	case instances:
		phase, _, _ := unstructured.NestedString(object.Object, "status", "phase")
		return phase != string(corev1.PodSucceeded) && phase != string(corev1.PodFailed)
	default:
		return false
	}
}

// object is the object as violations name it.
func (l life) object() string { return objectName(l.Resource, l.Namespace, l.Name) }

func objectName(resource, namespace, name string) string {
	if namespace == "" {
		return resource + " " + name
	}
	return resource + " " + namespace + "/" + name
}

// machine is the UID of the Machine that the labels name, "" for none.
func (l life) machine() types.UID {
	return types.UID(l.Object.GetLabels()[vitistackv1alpha1.LabelMachineUID])
}

// guest is the UID of the VirtualMachine that the object is, or belongs to.
func (l life) guest() types.UID {
	if l.Resource == virtualMachines {
		return l.UID
	}
	for _, owner := range l.Object.GetOwnerReferences() {
		if owner.Kind == "VirtualMachine" {
			return owner.UID
		}
	}
	return l.UID
}

// there reports whether the object may have been there at any time of from until until.
func (l life) there(from, until time.Time) bool {
	return !l.From.After(until) && (l.Until.IsZero() || !l.Until.Before(from))
}

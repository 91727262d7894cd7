package observer

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// strangers finds the operator's writes in remotes on what no record names (I2), on what is an
// orphan (I13), and in another cluster than the record's (I7).
func strangers(s seen) []Violation {
	var found []Violation
	for _, cluster := range s.remotes() {
		for _, call := range s.calls[cluster] {
			if !changes(call) {
				continue
			}
			if v, broken := s.judge(cluster, call); broken {
				v.Cluster, v.At = cluster, call.Received
				v.Object = objectName(call.Resource, call.Namespace, call.Name)
				found = append(found, v)
			}
		}
	}
	return found
}

// changes reports whether a call changed something: it was a write, was answered well, and was meant
// so. A question of rights is a creation for the API server, and no change.
func changes(call audit.Call) bool {
	return call.Writes() && call.Code < 300 && !strings.Contains(call.URI, "dryRun=All") &&
		!strings.HasSuffix(call.Group, "authorization.k8s.io") && !strings.HasSuffix(call.Group, "authentication.k8s.io") &&
		!slices.Contains([]string{"events", "leases"}, call.Resource)
}

// creates reports whether a call made an object.
func creates(call audit.Call) bool {
	return call.Subresource == "" && (call.Verb == "create" || call.Verb == "patch" && call.Code == 201)
}

// judge looks at one write of the operator in a remote.
func (s seen) judge(cluster string, call audit.Call) (Violation, bool) {
	switch {
	case call.Verb == "deletecollection":
		return Violation{Invariant: "I2", Message: "the operator deletes in bulk: " + call.String()}, true
	case call.Resource == virtualMachines && creates(call):
		return s.judgeCreation(cluster, call)
	case creates(call):
		return Violation{}, false // what a VirtualMachine needs; Converged finds what is left
	case call.Verb == "delete" && (call.Resource == attachments || call.Resource == namespaces):
		return Violation{Invariant: "I2", Message: "the operator deletes what may be others' too: " + call.String()}, true
	default:
		return s.judgeChange(cluster, call)
	}
}

// judgeCreation: a VirtualMachine is made where a record says so, and nowhere else.
func (s seen) judgeCreation(cluster string, call audit.Call) (Violation, bool) {
	if s.sawNothing(fleet.Supervisor, machines, call.Received, call.Answered) {
		return Violation{}, false // the record may have come and gone unseen
	}
	made := life{Cluster: cluster, Resource: virtualMachines, Namespace: call.Namespace, Name: call.Name}
	elsewhere := false
	for _, r := range s.records {
		if r.Namespace != call.Namespace || r.VMName != call.Name || r.At.After(call.Answered.Add(s.options.Skew)) {
			continue
		}
		nameless := r
		nameless.VMUID = ""
		if nameless.names(s.clusterUIDs[cluster], cluster, made) {
			return Violation{}, false
		}
		elsewhere = elsewhere || r.Config == cluster
	}
	about := s.uids(s.candidates(cluster, call))
	if elsewhere {
		return Violation{Invariant: "I7", about: about,
			Message: "the operator makes a VirtualMachine in another cluster than the one of the record's UID"}, true
	}
	return Violation{Invariant: "I2", about: about,
		Message: "the operator makes a VirtualMachine that no record names"}, true
}

// candidates are the objects that a call may have been about: those of its name that were there at
// the time.
func (s seen) candidates(cluster string, call audit.Call) []life {
	return slices.DeleteFunc(s.of(cluster, call.Resource), func(l life) bool {
		return l.Namespace != call.Namespace || l.Name != call.Name ||
			!l.there(call.Received.Add(-s.options.Skew), call.Answered.Add(s.options.Skew))
	})
}

// judgeChange: each change and deletion is of what is the operator's. Where several objects of the
// name were there, one that is the operator's is enough.
func (s seen) judgeChange(cluster string, call audit.Call) (Violation, bool) {
	if _, followed := s.blind[place{cluster, call.Resource}]; !followed {
		made := life{Cluster: cluster, Resource: call.Resource, Namespace: call.Namespace, Name: call.Name,
			From: call.Received}
		creator := s.creator(made)
		return Violation{Invariant: "I2", Message: "the operator changes what is a person's: " + call.String()},
			creator != "" && !s.options.isOperators(creator)
	}
	all := s.candidates(cluster, call)
	about := s.uids(all)
	switch {
	case len(all) == 0 && s.sawNothing(cluster, call.Resource, call.Received, call.Answered):
		return Violation{}, false
	case len(all) == 0:
		return Violation{Invariant: "I2", Message: "the operator changes an object that nobody saw: " + call.String()}, true
	case !slices.ContainsFunc(all, func(l life) bool { return !s.isPersonsGuest(l) }):
		return Violation{Invariant: "I2", about: about, Message: "the operator changes what is a person's: " + call.String()},
			true
	case slices.ContainsFunc(all, func(l life) bool { return s.owns(l, call) }):
		return Violation{}, false
	case call.Verb == "delete" && call.Resource == virtualMachines && s.isOrphan(all[0]):
		return Violation{Invariant: "I13", about: about, Message: "the operator deletes an orphan: " + call.String()}, true
	default:
		return Violation{Invariant: "I2", about: about,
			Message: "the operator changes what no record names: " + call.String()}, true
	}
}

// owns reports whether an object is the operator's to change.
func (s seen) owns(l life, call audit.Call) bool {
	switch l.Resource {
	case virtualMachines, instances:
		_, named := s.recordedGuest(l, call)
		return named
	case dataVolumes, claims:
		return s.ownsDisk(l, call)
	default:
		creator := s.creator(l)
		return s.options.isOperators(creator) || creator == "" && l.machine() != ""
	}
}

// recordedGuest is the record of a VirtualMachine or of that of an instance.
func (s seen) recordedGuest(l life, call audit.Call) (record, bool) {
	vm := l
	vm.UID = l.guest()
	return s.recorded(vm, call.Answered.Add(s.options.Skew))
}

// ownsDisk: a disk goes by the record of its own UID, or with its VirtualMachine. Labels are no claim.
func (s seen) ownsDisk(l life, call audit.Call) bool {
	if s.options.isOperators(s.creator(l)) {
		return true
	}
	for _, r := range s.records {
		for _, disk := range r.Disks {
			if disk.UID == l.UID {
				return true
			}
		}
	}
	if _, named := s.recordedGuest(l, call); named && l.guest() != l.UID || s.refersTo(l, call) {
		return true
	}
	for _, owner := range l.Object.GetOwnerReferences() { // a claim belongs to its DataVolume
		for _, volume := range s.of(l.Cluster, dataVolumes) {
			if volume.UID == owner.UID && volume.UID != l.UID && s.ownsDisk(volume, call) {
				return true
			}
		}
	}
	return false
}

// refersTo reports whether a VirtualMachine that a record names has a disk as its volume: an adopted
// one need not own it.
func (s seen) refersTo(disk life, call audit.Call) bool {
	for _, vm := range s.of(disk.Cluster, virtualMachines) {
		if _, named := s.recordedGuest(vm, call); !named || vm.Namespace != disk.Namespace {
			continue
		}
		volumes, _, _ := unstructured.NestedSlice(vm.Object.Object, "spec", "template", "spec", "volumes")
		for _, volume := range volumes {
			fields, _ := volume.(map[string]any)
			volumeOf, _, _ := unstructured.NestedString(fields, "dataVolume", "name")
			claimOf, _, _ := unstructured.NestedString(fields, "persistentVolumeClaim", "claimName")
			if disk.Name == volumeOf || disk.Name == claimOf {
				return true
			}
		}
	}
	return false
}

// isOrphan reports whether a VirtualMachine's Machine does not exist.
func (s seen) isOrphan(l life) bool {
	m, found := s.machines[l.machine()]
	return l.machine() != "" && (!found || !m.Gone.IsZero())
}

func (s seen) uids(all []life) []types.UID {
	var uids []types.UID
	for _, l := range all {
		uids = append(uids, l.UID)
		if machine := s.machineOf(l); machine != "" {
			uids = append(uids, machine)
		}
	}
	return uids
}

// describe is a number of calls of one kind.
func describe(calls []audit.Call) string {
	most := audit.Tally(calls).Most()
	return fmt.Sprintf("%d calls, most often %s (%d)", len(calls), strings.TrimSpace(most.Key), most.Calls)
}

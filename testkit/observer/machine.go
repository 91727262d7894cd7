package observer

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// machine is what was seen of one Machine.
type machine struct {
	UID             types.UID
	Namespace, Name string

	// States are the sights of it in order.
	States []state
	// Gone is when it was gone, zero while it is there.
	Gone time.Time
	// Undone says that a restored supervisor does not know it, or not any more: nobody deleted it.
	Undone bool
}

// state is a Machine at one moment.
type state struct {
	At     time.Time
	Object *vitistackv1alpha1.Machine
	// Ledger and Move are nil where there is none that can be read.
	Ledger *vitistackv1alpha1.Ledger
	Move   *vitistackv1alpha1.MoveRecord
	// Wish is the part that people write: what has an equal one asks for the same.
	Wish string
	// Listed says that it was seen by a list, so that it may be older.
	Listed bool
}

// newState reads a Machine.
func newState(object *unstructured.Unstructured, listed bool, at time.Time) (state, error) {
	m := &vitistackv1alpha1.Machine{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, m); err != nil {
		return state{}, fmt.Errorf("the Machine %s/%s: %w", object.GetNamespace(), object.GetName(), err)
	}
	m.ManagedFields = nil
	s := state{At: at, Object: m, Wish: wishOf(m), Listed: listed}
	if ledger, err := vitistackv1alpha1.LedgerOf(m); err == nil {
		s.Ledger = &ledger
	}
	if record, err := vitistackv1alpha1.ParseMoveRecord(m.Annotations[vitistackv1alpha1.AnnotationMove]); err == nil {
		s.Move = &record
	}
	return s, nil
}

// wishOf is what people write on a Machine: its spec, its deletion, and the annotations that are not
// the operator's.
func wishOf(m *vitistackv1alpha1.Machine) string {
	people := map[string]string{}
	for name, value := range m.Annotations {
		if !vitistackv1alpha1.IsOperators(name) && name != vitistackv1alpha1.AnnotationKubevirtConfig {
			people[name] = value
		}
	}
	text, err := json.Marshal([]any{m.Spec, people, m.DeletionTimestamp})
	if err != nil {
		return err.Error() // it cannot happen: a Machine that was decoded can be encoded
	}
	return string(text)
}

// last is the last sight of a Machine.
func (m machine) last() state { return m.States[len(m.States)-1] }

// at is the last sight that was not after a moment, and whether there is one.
func (m machine) at(t time.Time) (state, bool) {
	for _, s := range slices.Backward(m.States) {
		if !s.At.After(t) {
			return s, true
		}
	}
	return state{}, false
}

// condition is a condition of the Machine, nil for none.
func (s state) condition(of string) *metav1.Condition {
	return s.Object.Status.Condition(of)
}

// done reports whether the operator says that it has done what this state asks for.
func (s state) done() bool {
	ready := s.condition(vitistackv1alpha1.ConditionReady)
	return s.Move == nil && s.Object.DeletionTimestamp.IsZero() && ready != nil && ready.Status == "True" &&
		s.Object.Status.ObservedGeneration == s.Object.Generation
}

// record is a place that the operator wrote down for a Machine at some time.
type record struct {
	vitistackv1alpha1.Ledger

	Machine types.UID
	At      time.Time
	// Disks are those that go with the VirtualMachine.
	Disks vitistackv1alpha1.DiskRecord
	// Debt says that it is one, rather than what a Machine carries. MachineName is then the Machine's, and
	// Late until when a creation may still arrive.
	Debt        bool
	MachineName string
	Late        time.Time
}

// records are the places that a state of a Machine names.
func (s state) records() []record {
	var all []record
	disks, err := vitistackv1alpha1.DiskRecordOf(s.Object)
	if err != nil {
		disks = nil
	}
	add := func(l vitistackv1alpha1.Ledger) {
		all = append(all, record{Machine: s.Object.UID, At: s.At, Ledger: l, Disks: disks})
	}
	if s.Ledger != nil {
		add(*s.Ledger)
	}
	if s.Move != nil {
		add(s.Move.From)
		add(s.Move.To)
	}
	return all
}

// debts are the places that the ConfigMap of debts names.
func debts(data map[string]string, at time.Time) []record {
	var all []record
	for key, text := range data {
		if strings.HasPrefix(key, vitistackv1alpha1.TombstonePrefix) {
			continue
		}
		var debt struct {
			Machine string
			UID     types.UID
			Ledger  vitistackv1alpha1.Ledger
			Disks   vitistackv1alpha1.DiskRecord
			Late    time.Time
		}
		if json.Unmarshal([]byte(text), &debt) == nil {
			all = append(all, record{Machine: debt.UID, At: at, Ledger: debt.Ledger, Disks: debt.Disks, Debt: true,
				MachineName: debt.Machine, Late: debt.Late})
		}
	}
	return all
}

// names reports whether the record names a VirtualMachine of a cluster, by the cluster's UID and its
// own; or by its name, as long as the UID is not known.
func (r record) names(clusterUID, config string, vm life) bool {
	switch {
	case r.ClusterUID != "" && r.ClusterUID != clusterUID, r.ClusterUID == "" && r.Config != config:
		return false
	case r.VMUID != "":
		return r.VMUID == string(vm.UID)
	default:
		return r.Namespace == vm.Namespace && r.VMName == vm.Name
	}
}

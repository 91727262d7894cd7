package apicontract

import (
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/api/crds"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// TestMovesAreNotChanged: what a move or an evacuation was begun for stays, and an abort is not taken
// back. How careful it is may change at any time.
func TestMovesAreNotChanged(t *testing.T) {
	c := newClient(t, crds.YAML())
	move := func(more map[string]any) map[string]any { return with(map[string]any{"machineName": "web"}, more) }
	drain := func(more map[string]any) map[string]any { return with(map[string]any{"config": "east"}, more) }
	cases := map[string]struct {
		reason        string
		kind          string
		before, after map[string]any
		refused       string // what the error contains, "" for none
	}{
		"another Machine": {
			reason: "its record names the first one", kind: "MachineMove",
			before: move(nil), after: move(map[string]any{"machineName": "other"}),
			refused: "machineName cannot be changed",
		},
		"another target": {
			reason: "disks are there already", kind: "MachineMove",
			before: move(map[string]any{"to": "north"}), after: move(map[string]any{"to": "west"}),
			refused: "to cannot be changed",
		},
		"a target too late": {
			reason: "the operator chose one", kind: "MachineMove",
			before: move(nil), after: move(map[string]any{"to": "west"}),
			refused: "to cannot be changed",
		},
		"no target any more": {
			reason: "the operator would choose another one", kind: "MachineMove",
			before: move(map[string]any{"to": "north"}), after: move(nil),
			refused: "to cannot be changed",
		},
		"abort": {
			reason: "it may be given up at any time", kind: "MachineMove",
			before: move(nil), after: move(map[string]any{"abort": true}),
		},
		"abort taken back": {
			reason: "what was made is being deleted", kind: "MachineMove",
			before: move(map[string]any{"abort": true}), after: move(map[string]any{"abort": false}),
			refused: "abort cannot be taken back",
		},
		"abort left out": {
			reason: "a manifest that is applied again does not take it back either", kind: "MachineMove",
			before: move(map[string]any{"abort": true}), after: move(nil),
			refused: "abort cannot be taken back",
		},
		"keep and timeouts": {
			reason: "a person answers while it is under way", kind: "MachineMove",
			before: move(map[string]any{"to": "north"}),
			after: move(map[string]any{"to": "north", "keep": "Target",
				"timeouts": map[string]any{"copy": "1h"}}),
		},
		"keep neither": {
			reason: "one copy counts", kind: "MachineMove",
			before: move(nil), after: move(map[string]any{"keep": "Both"}), refused: "Unsupported value",
		},
		"another cluster": {
			reason: "the Machines that it moved came from the first one", kind: "Evacuation",
			before: drain(nil), after: drain(map[string]any{"config": "west"}),
			refused: "config cannot be changed",
		},
		"pace": {
			reason: "it may become more or less careful, or pause", kind: "Evacuation",
			before: drain(nil), after: drain(map[string]any{"maxInFlight": int64(8), "maxUnavailable": "20%",
				"order": "Name", "paused": true, "pauseOnFailure": false}),
		},
		"a share of nothing": {
			reason: "nobody can tell how many that are", kind: "Evacuation",
			before: drain(nil), after: drain(map[string]any{"maxUnavailable": "some"}),
			refused: "spec.maxUnavailable",
		},
		"no pace": {
			reason: "it would never end", kind: "Evacuation",
			before: drain(nil), after: drain(map[string]any{"maxInFlight": int64(0)}),
			refused: "greater than or equal to 1",
		},
	}
	i := 0
	for name, tc := range cases {
		i++
		t.Run(name, func(t *testing.T) {
			object := &unstructured.Unstructured{Object: map[string]any{"spec": tc.before}}
			object.SetGroupVersionKind(vitistackv1alpha1.SchemeGroupVersion.WithKind(tc.kind))
			object.SetNamespace("default")
			object.SetName(fmt.Sprintf("m%d", i))
			if err := c.Create(t.Context(), object); err != nil {
				t.Fatal(err)
			}
			object.Object["spec"] = tc.after
			err := c.Update(t.Context(), object)
			switch {
			case tc.refused == "" && err != nil:
				t.Errorf("%s: %v", tc.reason, err)
			case tc.refused != "" && (!apierrors.IsInvalid(err) || !strings.Contains(err.Error(), tc.refused)):
				t.Errorf("%s: Update() = %v, want a refusal with %q", tc.reason, err, tc.refused)
			}
		})
	}
}

// TestDefaultsOfEvacuations: what is left out is filled in where everybody reads it.
func TestDefaultsOfEvacuations(t *testing.T) {
	c := newClient(t, crds.YAML())
	evacuation := &vitistackv1alpha1.Evacuation{}
	evacuation.Namespace, evacuation.Name, evacuation.Spec.Config = "kubevirt-configs", "east", "east"
	if err := c.Create(t.Context(), evacuation); err != nil {
		t.Fatal(err)
	}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(evacuation), evacuation); err != nil {
		t.Fatal(err)
	}
	spec := evacuation.Spec
	if spec.MaxInFlight != 4 || spec.Order != vitistackv1alpha1.EvacuateSmallestFirst ||
		spec.Mode != vitistackv1alpha1.MoveModeCold || spec.PauseOnFailure == nil || !*spec.PauseOnFailure {
		t.Errorf("the defaults are %+v", spec)
	}
}

func with(fields, more map[string]any) map[string]any {
	for name, value := range more {
		fields[name] = value
	}
	return fields
}

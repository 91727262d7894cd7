package apicontract

import (
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/api/crds"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// TestRolloutsAreNotChanged: what a rollout was begun for stays, and an abort is not taken back. How
// careful it is may change at any time.
func TestRolloutsAreNotChanged(t *testing.T) {
	c := newClient(t, crds.YAML())
	restart := func(more map[string]any) map[string]any { return with(map[string]any{"action": "Restart"}, more) }
	resize := func(class string) map[string]any {
		return map[string]any{"action": "Resize", "resize": map[string]any{"class": class}}
	}
	cases := map[string]struct {
		reason        string
		before, after map[string]any
		refused       string // what the error contains, "" for none
	}{
		"another action": {
			reason: "Machines were restarted for the first one", before: restart(nil), after: map[string]any{"action": "Resize"},
			refused: "action cannot be changed",
		},
		"another class": {
			reason: "Machines have the first one already", before: resize("medium"), after: resize("large"),
			refused: "resize cannot be changed",
		},
		"a class for a restart": {
			reason: "nobody can tell what was meant", before: restart(nil),
			after:   restart(map[string]any{"resize": map[string]any{"class": "large"}}),
			refused: "resize goes with the action Resize",
		},
		"abort": {
			reason: "it may be given up at any time", before: restart(nil), after: restart(map[string]any{"abort": true}),
		},
		"abort taken back": {
			reason: "it may be over by now", before: restart(map[string]any{"abort": true}), after: restart(nil),
			refused: "abort cannot be taken back",
		},
		"pace": {
			reason: "it may become more or less careful, or pause", before: restart(nil),
			after: restart(map[string]any{"maxUnavailable": "20%", "order": "Name", "paused": true, "pauseOnFailure": false,
				"deadline": "1h", "minReadySeconds": int64(30)}),
		},
		"a share of nothing": {
			reason: "nobody can tell how many that are", before: restart(nil),
			after: restart(map[string]any{"maxUnavailable": "some"}), refused: "spec.maxUnavailable",
		},
		"a share of more than all": {
			reason: "nobody can tell what was meant", before: restart(nil),
			after: restart(map[string]any{"maxUnavailable": "200%"}), refused: "spec.maxUnavailable",
		},
		"an unknown action": {
			reason: "the operator would not know it", before: restart(nil), after: map[string]any{"action": "Rebuild"},
			refused: "Unsupported value",
		},
	}
	i := 0
	for name, tc := range cases {
		i++
		t.Run(name, func(t *testing.T) {
			object := &unstructured.Unstructured{Object: map[string]any{"spec": tc.before}}
			object.SetGroupVersionKind(vitistackv1alpha1.SchemeGroupVersion.WithKind("MachineRollout"))
			object.SetNamespace("default")
			object.SetName(fmt.Sprintf("r%d", i))
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

// TestDefaultsOfRollouts: what is left out is filled in where everybody reads it.
func TestDefaultsOfRollouts(t *testing.T) {
	c := newClient(t, crds.YAML())
	rollout := &vitistackv1alpha1.MachineRollout{}
	rollout.Namespace, rollout.Name, rollout.Spec.Action = "default", "all", vitistackv1alpha1.RolloutRestart
	if err := c.Create(t.Context(), rollout); err != nil {
		t.Fatal(err)
	}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(rollout), rollout); err != nil {
		t.Fatal(err)
	}
	spec := rollout.Spec
	if spec.MaxUnavailable.IntValue() != 1 || spec.Order != vitistackv1alpha1.RolloutOldestFirst ||
		spec.PauseOnFailure == nil || !*spec.PauseOnFailure || spec.Deadline.Duration != 10*time.Minute {
		t.Errorf("the defaults are %+v", spec)
	}
}

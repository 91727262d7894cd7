package observer

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// rotationTime is around a rotation: nothing else may have happened before it, and nothing may be
// read again after it.
const rotationTime = 20 * time.Second

// relists finds collections that the operator read again because a Secret with a kubeconfig changed
// (I6). A cluster that was in trouble around that time may be read again for that.
func relists(s seen) []Violation {
	var found []Violation
	for _, secret := range s.of(fleet.Supervisor, secrets) {
		cluster, isOurs := strings.CutSuffix(secret.Name, strings.TrimPrefix(fleet.SecretName("x"), "x"))
		if !isOurs || secret.Namespace != fleet.ConfigsNamespace || len(secret.Specs) == 0 {
			continue
		}
		for _, change := range secret.Specs[1:] {
			from, until := change.At.Add(-s.options.Skew), change.At.Add(rotationTime)
			early := change.At.Add(-3 * rotationTime)
			if change.Listed || !s.calm(early, until, cluster) || s.wasRestored(cluster, early, until) {
				continue
			}
			again := slices.DeleteFunc(slices.Clone(s.recent[cluster]), func(c audit.Call) bool {
				return !readsAll(c) || c.Received.Before(from) || c.Received.After(until)
			})
			if len(again) > 0 {
				found = append(found, Violation{Invariant: "I6", Cluster: cluster, Object: secret.object(), At: again[0].Received,
					Message: fmt.Sprintf("after a rotation the operator read collections again: %s", describe(again)),
					about:   []types.UID{secret.UID}})
			}
		}
	}
	return found
}

// readsAll reports whether a call reads a whole collection: by a list that selects no Machine, or by
// a watch that begins with one.
func readsAll(call audit.Call) bool {
	if !slices.Contains([]string{virtualMachines, instances, dataVolumes}, call.Resource) || call.Code >= 300 {
		return false
	}
	selects := machineSelected(call) != "" || strings.Contains(call.URI, "fieldSelector=metadata.name")
	return call.Verb == "list" && call.Name == "" && !selects ||
		call.Verb == "watch" && strings.Contains(call.URI, "sendInitialEvents=true")
}

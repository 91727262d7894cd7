package journeys

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// identity is what a guest is known by.
type identity struct {
	UUID, Serial string
	MACs         map[string]string
	Disks        []string
	CPU          *kubevirtv1.CPU
	Memory       string
	Labels       map[string]string
}

func identityOf(vm *kubevirtv1.VirtualMachine) identity {
	domain := vm.Spec.Template.Spec.Domain
	id := identity{MACs: map[string]string{}, CPU: domain.CPU, Labels: vm.Labels}
	if domain.Firmware != nil {
		id.UUID, id.Serial = string(domain.Firmware.UUID), domain.Firmware.Serial
	}
	if domain.Memory != nil && domain.Memory.Guest != nil {
		id.Memory = domain.Memory.Guest.String()
	}
	for _, nic := range domain.Devices.Interfaces {
		id.MACs[nic.Name] = nic.MacAddress
	}
	for _, template := range vm.Spec.DataVolumeTemplates {
		id.Disks = append(id.Disks, template.Name+" "+template.Spec.Storage.Resources.Requests.Storage().String())
	}
	return id
}

// TestMove: the same guest goes there and back, with what it wrote, and leaves nothing behind.
func TestMove(t *testing.T) {
	observe(t)
	g := arrive(t, east, "there-and-back", nil)
	before := identityOf(g.vm(east))
	for _, leg := range [][2]string{{east, west}, {west, east}} {
		since := time.Now()
		g.moveTo(leg[1])
		move := g.tells(vitistackv1alpha1.MovePhaseSucceeded, vitistackv1alpha1.ReasonMoved)
		t.Logf("%s in steps %+v", move.Status.Progress, move.Status.Steps)
		g.runsIn(leg[1])
		if diff := cmp.Diff(before, identityOf(g.vm(leg[1]))); diff != "" {
			t.Errorf("another guest in %s: -before +after:\n%s", leg[1], diff)
		}
		g.reads(leg[1])
		g.gone(leg[0])
		g.write(leg[1], "after "+leg[1])
		calls := ownWrites(t, since, g.key.Namespace)
		t.Logf("writes:\n%s", audit.By(writes(t, since, allLogs(), g.key.Namespace, fleet.ConfigsNamespace), func(c audit.Call) string {
			return c.Verb + " " + c.Kind()
		}))
		if len(calls) > mostSupervisorWrites {
			t.Errorf("%d writes to the supervisor", len(calls))
		}
	}
}

package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	kubevirtv1 "kubevirt.io/api/core/v1"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// lastEvents is how many events of each side are shown.
const lastEvents = 6

// tree is a View as people see it. It is pure.
func tree(v *View, p paint) *node {
	m := v.Machine
	root := &node{text: fmt.Sprintf("%s %s  %s%s", p.title("Machine"), p.title(m.Namespace+"/"+m.Name), phase(m, p),
		p.faint(ageOf(v, m.CreationTimestamp.Time, "  created %s ago")))}
	if m.DeletionTimestamp != nil {
		root.add(p.maybe("is being deleted" + ageOf(v, m.DeletionTimestamp.Time, " since %s")))
	}
	if seen := m.Status.ObservedGeneration; seen != m.Generation {
		root.add(p.maybe(fmt.Sprintf("the last change was not worked on yet (generation %d, seen %d)", m.Generation, seen)))
	}
	v.conditions(root, p)
	v.place(root, p)
	v.virtualMachine(root, p)
	v.history(root, p)
	if len(v.Missing) > 0 {
		missing := root.add(p.maybe("Not shown"))
		for _, each := range v.Missing {
			missing.add(each)
		}
	}
	return root
}

// phase is the phase in its colour.
func phase(m *vitistackv1alpha1.Machine, p paint) string {
	text := string(cmp.Or(m.Status.Phase, vitistackv1alpha1.MachinePhasePending))
	switch m.Status.Phase {
	case vitistackv1alpha1.MachinePhaseRunning:
		return p.good(text)
	case vitistackv1alpha1.MachinePhaseFailed:
		return p.bad(text)
	case vitistackv1alpha1.MachinePhaseStopped:
		return p.faint(text)
	}
	return p.maybe(text)
}

// ageOf puts the time since at into format, "" where at is unknown.
func ageOf(v *View, at time.Time, format string) string {
	if at.IsZero() {
		return ""
	}
	return fmt.Sprintf(format, duration.HumanDuration(v.Now.Sub(at)))
}

// conditions are one line where all is well, and else one each.
func (v *View) conditions(root *node, p paint) {
	if len(v.Machine.Status.Conditions) == 0 {
		root.add(p.maybe("? nothing was said about it yet: does an operator run?"))
		return
	}
	var well []string
	for _, condition := range v.Machine.Status.Conditions {
		if condition.Status == vitistackv1alpha1.WellWhen(condition.Type) {
			well = append(well, said(condition.Type))
			continue
		}
		sign, tint := "✗", p.bad
		if string(condition.Status) == string(metav1.ConditionUnknown) {
			sign, tint = "?", p.maybe
		}
		since := ageOf(v, condition.LastTransitionTime.Time, " for %s")
		line := root.add(tint(fmt.Sprintf("%s %s: %s", sign, condition.Type, condition.Reason)) + p.faint(since))
		if condition.Message != "" {
			line.add(condition.Message)
		}
	}
	if len(well) > 0 {
		slices.Sort(well)
		root.add(p.good("✓ " + strings.Join(well, ", ")))
	}
}

// said is what a condition says that is well.
func said(conditionType string) string {
	if conditionType == vitistackv1alpha1.ConditionDeletionHeld {
		return "deletion let go"
	}
	return conditionType
}

// place says where it is and why.
func (v *View) place(root *node, p paint) {
	cluster := clusterOf(v.Machine)
	if cluster == "" {
		root.add(p.title("Place") + "  none yet; kubectl machine why " + v.Machine.Namespace + "/" + v.Machine.Name)
		return
	}
	trace := vitistackv1alpha1.ParsePlacementTrace(v.Machine.Annotations[vitistackv1alpha1.AnnotationPlacementTrace])
	line := root.add(p.title("Place") + "  " + strings.TrimSpace(cluster+", "+cmp.Or(trace.By(), "as its record says")))
	if way := moving(v.Machine); way != "" {
		line.add(p.maybe("being moved: " + way))
	}
	if v.Config == nil {
		return
	}
	text := "connection: nothing was said about it yet"
	if c := meta.FindStatusCondition(v.Config.Status.Conditions, vitistackv1alpha1.ConditionConnected); c != nil {
		text = p.good("connected") + ageOf(v, c.LastTransitionTime.Time, " for %s")
		if c.Status != metav1.ConditionTrue {
			text = p.bad(c.Reason) + ageOf(v, c.LastTransitionTime.Time, " for %s") + ": " + c.Message
		}
	}
	line.add(text)
	if versions := v.Config.Status.Versions; versions.Kubernetes != "" {
		line.add("Kubernetes " + versions.Kubernetes + ", KubeVirt " + cmp.Or(versions.KubeVirt, "?"))
	}
}

// virtualMachine is what stands for it in the remote cluster.
func (v *View) virtualMachine(root *node, p paint) {
	if v.VM == nil {
		return
	}
	vm := v.VM
	line := root.add(fmt.Sprintf("%s  %s/%s  %s", p.title("VirtualMachine"), vm.Namespace, vm.Name,
		vm.Status.PrintableStatus))
	strategy, err := vm.RunStrategy()
	if err == nil {
		line.add("run strategy " + string(strategy) + ageOf(v, vm.CreationTimestamp.Time, ", created %s ago"))
	}
	if v.VMI != nil {
		where := cmp.Or(v.VMI.Status.NodeName, "no node yet")
		line.add(fmt.Sprintf("%s  %s on %s%s", p.title("instance"), v.VMI.Status.Phase, where,
			ageOf(v, v.VMI.CreationTimestamp.Time, ", started %s ago")))
	}
	for _, volume := range vm.Spec.Template.Spec.Volumes {
		line.add(p.title("disk") + "  " + v.disk(volume, p))
	}
	for _, nic := range vm.Spec.Template.Spec.Domain.Devices.Interfaces {
		line.add(p.title("interface") + "  " + v.nic(nic, vm.Spec.Template.Spec.Networks))
	}
}

// disk is one volume with its progress.
func (v *View) disk(volume kubevirtv1.Volume, p paint) string {
	name := claimOf(volume)
	if name == "" {
		return volume.Name + "  " + kindOf(volume)
	}
	disk, parts := v.Disks[name], []string{volume.Name}
	if claim := disk.Claim; claim != nil {
		size := claim.Status.Capacity.Storage()
		if size.IsZero() {
			size = claim.Spec.Resources.Requests.Storage()
		}
		parts = append(parts, size.String(), string(claim.Status.Phase))
		if claim.Spec.StorageClassName != nil {
			parts = append(parts, "class "+*claim.Spec.StorageClassName)
		}
	}
	if data := disk.DataVolume; data != nil {
		state := string(data.Status.Phase)
		if progress := string(data.Status.Progress); progress != "" && progress != "N/A" {
			state += " " + progress
		}
		if state != "" {
			parts = append(parts, state)
		}
	}
	if disk.Claim == nil && disk.DataVolume == nil {
		parts = append(parts, p.maybe("not there yet"))
	}
	return strings.Join(append(parts, p.faint(name)), "  ")
}

// kindOf names a volume without a claim.
func kindOf(volume kubevirtv1.Volume) string {
	switch {
	case volume.CloudInitNoCloud != nil, volume.CloudInitConfigDrive != nil:
		return "cloud-init"
	case volume.ContainerDisk != nil:
		return "image " + volume.ContainerDisk.Image
	}
	return "no claim"
}

// nic is one interface with its network and addresses.
func (v *View) nic(nic kubevirtv1.Interface, networks []kubevirtv1.Network) string {
	parts := []string{nic.Name, cmp.Or(nic.MacAddress, "no address of its own")}
	for _, network := range networks {
		if network.Name == nic.Name && network.Multus != nil {
			parts = append(parts, "on "+network.Multus.NetworkName)
		} else if network.Name == nic.Name {
			parts = append(parts, "on the pod network")
		}
	}
	if v.VMI != nil {
		for _, seen := range v.VMI.Status.Interfaces {
			if seen.Name == nic.Name && len(seen.IPs) > 0 {
				parts = append(parts, strings.Join(seen.IPs, " "))
			}
		}
	}
	return strings.Join(parts, "  ")
}

// history are the last events of both sides.
func (v *View) history(root *node, p paint) {
	for _, side := range []struct {
		title  string
		events []Event
	}{{"Events", v.Events}, {"Events of " + clusterOf(v.Machine), v.RemoteEvents}} {
		if len(side.events) == 0 {
			continue
		}
		line := root.add(p.title(side.title))
		for _, event := range side.events[max(0, len(side.events)-lastEvents):] {
			reason := event.Reason
			if event.Warning {
				reason = p.bad(reason)
			}
			age := duration.HumanDuration(v.Now.Sub(event.At))
			line.add(fmt.Sprintf("%s  %s  %s", p.faint(fmt.Sprintf("%4s", age)), reason, oneLine(event.Message)))
		}
	}
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

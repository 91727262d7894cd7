package move

import (
	"context"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/relocation"
)

func vmUID(ledger vitistackv1alpha1.Ledger) types.UID { return types.UID(ledger.VMUID) }

// commit writes down that the Machine is at the target, and which disks are left at the source.
func (j *job) commit(ctx context.Context, seen sight) error {
	record := j.record
	record.Final = record.Stage == vitistackv1alpha1.MoveAborting // its source is gone
	record.Stage, record.To.VMUID = vitistackv1alpha1.MoveCommitted, string(seen.target.vm.UID)
	annotations := map[string]string{
		vitistackv1alpha1.AnnotationKubevirtConfig: record.To.Config,
		vitistackv1alpha1.AnnotationPlacementTrace: vitistackv1alpha1.PlacementTrace{Config: record.To.Config,
			Strategy: "move", Reason: "MachineMove " + record.Name + " took it there from " + record.From.Config,
			Before: asked(j.machine)}.String(),
	}
	if seen.source.vm != nil {
		disks, err := j.removal(seen).DisksOf(ctx, seen.source.vm)
		if err != nil {
			return err
		}
		annotations[vitistackv1alpha1.AnnotationPlacementDisks] = disks.String()
	}
	return j.write(ctx, record, annotations)
}

// asked are the clusters that a Machine asks for.
func asked(machine *vitistackv1alpha1.Machine) []string {
	references := custody.References(machine)
	return slices.DeleteFunc(slices.Compact(references[:]), func(name string) bool { return name == "" })
}

// giveUp writes down that the Machine stays where it was, and tells why.
func (j *job) giveUp(ctx context.Context, reason, message string) error {
	record := j.record
	record.Stage = vitistackv1alpha1.MoveAborting
	if err := j.tellGivenUp(ctx, reason, message); err != nil {
		return err
	}
	annotations := map[string]string{vitistackv1alpha1.AnnotationPlacementDisks: ""}
	if j.record.Stage == vitistackv1alpha1.MoveCommitted {
		annotations[vitistackv1alpha1.AnnotationKubevirtConfig] = record.From.Config
		annotations[vitistackv1alpha1.AnnotationPlacementTrace] = vitistackv1alpha1.PlacementTrace{Config: record.From.Config,
			Strategy: "move", Reason: "MachineMove " + record.Name + " came back from " + record.To.Config}.String()
	}
	return j.write(ctx, record, annotations)
}

// end takes the record off, after people were told how it ended.
func (j *job) end(ctx context.Context) error {
	if err := j.tellEnd(ctx); err != nil {
		return err
	}
	ledger := j.record.Place()
	ledger.Move = ""
	return j.patch(ctx, map[string]string{
		vitistackv1alpha1.AnnotationPlacement: ledger.String(), vitistackv1alpha1.AnnotationMove: "",
		vitistackv1alpha1.AnnotationPlacementDisks: "",
	})
}

// write writes the record and the ledger that belongs to it.
func (j *job) write(
	ctx context.Context, record vitistackv1alpha1.MoveRecord, annotations map[string]string,
) error {
	all := map[string]string{}
	maps.Copy(all, annotations)
	all[vitistackv1alpha1.AnnotationMove] = record.String()
	all[vitistackv1alpha1.AnnotationPlacement] = record.Place().String()
	if err := j.patch(ctx, all); err != nil {
		return err
	}
	j.record = record
	return nil
}

// patch sets annotations of the Machine, and removes those whose value is "". It fails where the
// Machine was changed since it was read.
func (j *job) patch(ctx context.Context, annotations map[string]string) error {
	written := j.machine.DeepCopy()
	if written.Annotations == nil {
		written.Annotations = map[string]string{}
	}
	for name, value := range annotations {
		if value == "" {
			delete(written.Annotations, name)
			continue
		}
		written.Annotations[name] = value
	}
	err := j.Supervisor.Patch(ctx, written, client.MergeFromWithOptions(j.machine, client.MergeFromWithOptimisticLock{}))
	if err != nil {
		return problem.Supervisor(err, problem.At{Condition: vitistackv1alpha1.ConditionReady, Doing: "recording the move"})
	}
	j.machine = written
	return nil
}

// remembered fills into a record what only the running instance has.
func remembered(
	record vitistackv1alpha1.MoveRecord, vm *kubevirtv1.VirtualMachine, instance *kubevirtv1.VirtualMachineInstance,
) vitistackv1alpha1.MoveRecord {
	if instance == nil || vm.Spec.Template == nil {
		return record
	}
	domain := vm.Spec.Template.Spec.Domain
	if was := instance.Spec.Domain.Firmware; was != nil && (domain.Firmware == nil || domain.Firmware.UUID == "") {
		record.UUID = string(was.UUID)
	}
	var macs []string
	for _, nic := range domain.Devices.Interfaces {
		if mac := relocation.GivenMAC(instance, nic.Name); nic.MacAddress == "" && mac != "" {
			macs = append(macs, nic.Name+"="+mac)
		}
	}
	record.MACs = strings.Join(macs, ",")
	return record
}

// kept is the running instance as far as a record remembers it, nil for nothing.
func kept(record vitistackv1alpha1.MoveRecord) *kubevirtv1.VirtualMachineInstance {
	if record.UUID == "" && record.MACs == "" {
		return nil
	}
	instance := &kubevirtv1.VirtualMachineInstance{}
	if record.UUID != "" {
		instance.Spec.Domain.Firmware = &kubevirtv1.Firmware{UUID: types.UID(record.UUID)}
	}
	for entry := range strings.SplitSeq(record.MACs, ",") {
		if name, mac, found := strings.Cut(entry, "="); found {
			nic := kubevirtv1.Interface{Name: name, MacAddress: mac}
			instance.Spec.Domain.Devices.Interfaces = append(instance.Spec.Domain.Devices.Interfaces, nic)
		}
	}
	return instance
}

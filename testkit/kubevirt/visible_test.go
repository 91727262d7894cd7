package kubevirt_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/agent"
)

// visible is what a client sees of a virtual machine, the same in both modes.
type visible struct {
	Status         kubevirtv1.VirtualMachinePrintableStatus
	Created, Ready bool
	Strategy       kubevirtv1.VirtualMachineRunStrategy // that it is run by, once it was
	Finalizers     []string
	Conditions     map[string]string // type: status and reason

	Phase              kubevirtv1.VirtualMachineInstancePhase // "" without an instance
	InstanceConditions map[string]string
	Owned              bool              // the instance is the machine's
	Labels             map[string]string // of the instance, those of the template
	Node               bool              // it has one
	Addresses, Agent   bool

	Volumes map[string]cdiv1.DataVolumePhase // those of templates, by name
	Claims  map[string]corev1.PersistentVolumeClaimPhase
}

// see reads a virtual machine and all that belongs to it.
func (w *world) see(ctx context.Context, vm *kubevirtv1.VirtualMachine) (visible, error) {
	key := client.ObjectKeyFromObject(vm)
	if err := w.client.Get(ctx, key, vm); err != nil {
		return visible{}, err
	}
	v := visible{
		Status: vm.Status.PrintableStatus, Created: vm.Status.Created, Ready: vm.Status.Ready,
		Strategy:   vm.Status.RunStrategy,
		Finalizers: vm.Finalizers, Conditions: map[string]string{},
	}
	for _, c := range vm.Status.Conditions {
		v.Conditions[string(c.Type)] = short(c.Status, c.Reason)
	}
	vmi := &kubevirtv1.VirtualMachineInstance{}
	if err := w.client.Get(ctx, key, vmi); err == nil {
		v.addInstance(vm, vmi)
	} else if !apierrors.IsNotFound(err) {
		return v, err
	}
	return v, w.addVolumes(ctx, &v, vm)
}

func (v *visible) addInstance(vm *kubevirtv1.VirtualMachine, vmi *kubevirtv1.VirtualMachineInstance) {
	v.Phase, v.Owned, v.Node = vmi.Status.Phase, metav1.IsControlledBy(vmi, vm), vmi.Status.NodeName != ""
	v.InstanceConditions, v.Labels = map[string]string{}, map[string]string{}
	for _, c := range vmi.Status.Conditions {
		v.InstanceConditions[string(c.Type)] = short(c.Status, c.Reason)
	}
	for key := range vm.Spec.Template.ObjectMeta.Labels {
		v.Labels[key] = vmi.Labels[key]
	}
	v.Agent = vmi.Status.GuestOSInfo.Name != ""
	for _, nic := range vmi.Status.Interfaces {
		v.Addresses = v.Addresses || nic.IP != ""
	}
}

func (w *world) addVolumes(ctx context.Context, v *visible, vm *kubevirtv1.VirtualMachine) error {
	for _, template := range vm.Spec.DataVolumeTemplates {
		volume, claim := &cdiv1.DataVolume{}, &corev1.PersistentVolumeClaim{}
		key := client.ObjectKey{Namespace: vm.Namespace, Name: template.Name}
		if err := w.client.Get(ctx, key, volume); err != nil {
			return err
		}
		if err := w.client.Get(ctx, key, claim); err != nil {
			return err
		}
		if !metav1.IsControlledBy(volume, vm) || !metav1.IsControlledBy(claim, volume) {
			return fmt.Errorf("%s is not owned by its machine", template.Name)
		}
		if v.Volumes == nil {
			v.Volumes, v.Claims = map[string]cdiv1.DataVolumePhase{}, map[string]corev1.PersistentVolumeClaimPhase{}
		}
		v.Volumes[template.Name], v.Claims[template.Name] = volume.Status.Phase, claim.Status.Phase
	}
	return nil
}

func short(status corev1.ConditionStatus, reason string) string {
	if reason == "" {
		return string(status)
	}
	return string(status) + " " + reason
}

var finalizers = []string{kubevirtv1.VirtualMachineControllerFinalizer}

// running is what a plain virtual machine comes to.
func running(name string, changes ...func(*visible)) visible {
	conditions := map[string]string{"Ready": "True", "AgentConnected": "True", "LiveMigratable": "True",
		"StorageLiveMigratable": "True"}
	v := visible{
		Status: "Running", Created: true, Ready: true, Strategy: kubevirtv1.RunStrategyAlways, Finalizers: finalizers,
		Conditions: conditions,
		Phase:      kubevirtv1.Running, InstanceConditions: conditions, Owned: true, Labels: map[string]string{"app": name},
		Node:      true,
		Addresses: true, Agent: true,
	}
	for _, change := range changes {
		change(&v)
	}
	return v
}

// without is what a virtual machine comes to that has no guest.
func without(status kubevirtv1.VirtualMachinePrintableStatus) visible {
	return visible{Status: status, Finalizers: finalizers, Conditions: map[string]string{"Ready": "False VMINotExists"}}
}

// blocked is what a virtual machine comes to whose guest cannot start in a phase, for reasons by
// the type of condition.
func blocked(
	name string, status kubevirtv1.VirtualMachinePrintableStatus, phase kubevirtv1.VirtualMachineInstancePhase,
	why map[string]string,
) visible {
	return visible{
		Status: status, Created: true, Strategy: kubevirtv1.RunStrategyAlways, Finalizers: finalizers, Conditions: why,
		Phase: phase, InstanceConditions: why, Owned: true, Labels: map[string]string{"app": name},
		Node: phase == kubevirtv1.Scheduled,
	}
}

// A user must not be able to tell from what is visible who plays virt-controller.
func TestVisible(t *testing.T) {
	cases := map[string]struct {
		reason  string
		changes []change
		want    visible
	}{
		"always": {
			reason: "a machine that always runs gets a guest that is ready",
			want:   running("vm"),
		},
		"once": {
			reason:  "a machine that runs once does so",
			changes: []change{strategy(kubevirtv1.RunStrategyOnce)},
			want:    running("vm", func(v *visible) { v.Strategy = kubevirtv1.RunStrategyOnce }),
		},
		"rerun on failure": {
			reason:  "the first start needs no failure",
			changes: []change{strategy(kubevirtv1.RunStrategyRerunOnFailure)},
			want:    running("vm", func(v *visible) { v.Strategy = kubevirtv1.RunStrategyRerunOnFailure }),
		},
		"halted": {
			reason:  "a halted machine has no guest",
			changes: []change{strategy(kubevirtv1.RunStrategyHalted)},
			want:    without("Stopped"),
		},
		"manual": {
			reason:  "a machine that is started by hand has no guest before",
			changes: []change{strategy(kubevirtv1.RunStrategyManual)},
			want:    without("Stopped"),
		},
		"no guest agent": {
			reason:  "without an agent nothing is known of the guest's system",
			changes: []change{templated(agent.GuestAgentAnnotation, "false")},
			want: running("vm", func(v *visible) {
				v.Agent = false
				v.Conditions = map[string]string{"Ready": "True", "LiveMigratable": "True", "StorageLiveMigratable": "True"}
				v.InstanceConditions = v.Conditions
			}),
		},
		"import": {
			reason:  "a disk is imported before the guest starts",
			changes: []change{withImport("disk")},
			want: running("vm", func(v *visible) {
				v.Volumes = map[string]cdiv1.DataVolumePhase{"disk": cdiv1.Succeeded}
				v.Claims = map[string]corev1.PersistentVolumeClaimPhase{"disk": corev1.ClaimBound}
				v.Conditions = map[string]string{
					"Ready": "True", "AgentConnected": "True", "LiveMigratable": "True", "StorageLiveMigratable": "True",
					"DataVolumesReady": "True AllDVsReady",
				}
				v.InstanceConditions = v.Conditions
			}),
		},
		"import stalls": {
			reason:  "a machine whose disk is being imported is being provisioned",
			changes: []change{withImport("disk", agent.ImportAnnotation, "stall")},
			want: func() visible {
				v := without("Provisioning")
				v.Volumes = map[string]cdiv1.DataVolumePhase{"disk": cdiv1.ImportInProgress}
				v.Claims = map[string]corev1.PersistentVolumeClaimPhase{"disk": corev1.ClaimBound}
				return v
			}(),
		},
		"import fails": {
			reason:  "a machine without its disk says so",
			changes: []change{withImport("disk", agent.ImportAnnotation, "fail")},
			want: func() visible {
				v := without("DataVolumeError")
				v.Volumes = map[string]cdiv1.DataVolumePhase{"disk": cdiv1.Failed}
				v.Claims = map[string]corev1.PersistentVolumeClaimPhase{"disk": corev1.ClaimBound}
				return v
			}(),
		},
		"secret is missing": {
			reason:  "a guest does not boot without its user data",
			changes: []change{withSecret("user-data")},
			want: blocked("vm", "Starting", kubevirtv1.Scheduled, map[string]string{
				"Ready": "False GuestNotRunning", "Synchronized": "False MissingObjects",
			}),
		},
		"network is missing": {
			reason:  "virt-controller makes no Pod without a network",
			changes: []change{withNetwork("nowhere")},
			want: blocked("vm", "Starting", kubevirtv1.Pending, map[string]string{
				"Ready": "False PodNotExists", "Synchronized": "False FailedCreate",
			}),
		},
		"claim is missing": {
			reason:  "virt-controller makes no Pod without a claim",
			changes: []change{withClaim("nothing")},
			want: blocked("vm", "ErrorPvcNotFound", kubevirtv1.Pending, map[string]string{
				"Ready": "False PodNotExists", "Synchronized": "False FailedPvcNotFound", "PodScheduled": "False Unschedulable",
			}),
		},
		"unschedulable": {
			reason:  "a guest for which no node has room",
			changes: []change{scripted(agent.UnschedulableAnnotation, "true")},
			want: blocked("vm", "ErrorUnschedulable", kubevirtv1.Scheduling, map[string]string{
				"Ready": "False GuestNotRunning", "PodScheduled": "False Unschedulable",
			}),
		},
		"image pull": {
			reason:  "a guest whose launcher cannot be had",
			changes: []change{scripted(agent.ImagePullErrorAnnotation, "true")},
			want: blocked("vm", "ErrImagePull", kubevirtv1.Scheduling, map[string]string{
				"Ready": "False GuestNotRunning", "Synchronized": "False ErrImagePull",
			}),
		},
		"boot takes long": {
			reason:  "a guest that boots is not running yet",
			changes: []change{templated(agent.BootDelayAnnotation, "1h")},
			want:    blocked("vm", "Starting", kubevirtv1.Scheduled, map[string]string{"Ready": "False GuestNotRunning"}),
		},
		"typing error": {
			reason:  "a script that cannot be read must not pass for one that asks for nothing",
			changes: []change{templated(agent.BootDelayAnnotation, "soon")},
			want: blocked("vm", "Starting", kubevirtv1.Scheduled, map[string]string{
				"Ready": "False GuestNotRunning", "Synchronized": "False InvalidScript",
			}),
		},
		"crashes at boot": {
			reason:  "a guest that never runs is started again later and later",
			changes: []change{templated(agent.CrashAnnotation, "boot")},
			want: func() visible {
				v := without("CrashLoopBackOff")
				v.Strategy = kubevirtv1.RunStrategyAlways
				return v
			}(),
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inBothModes(t, func(t *testing.T, w *world, namespace string) {
				vm := machine(namespace, "vm", c.changes...)
				w.create(t, vm)
				w.wantVisible(t, vm, c.reason, c.want)
			})
		})
	}
}

func (w *world) wantVisible(t *testing.T, vm *kubevirtv1.VirtualMachine, reason string, want visible) {
	t.Helper()
	eventually.Eventually(t, patience, "the virtual machine shows what is wanted", func(ctx context.Context) error {
		got, err := w.see(ctx, vm)
		if err != nil {
			return err
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return fmt.Errorf("%s: -want +got:\n%s", reason, diff)
		}
		return nil
	})
}

package kubevirt_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/agent"
)

// patch changes a virtual machine as a person would.
func (w *world) patch(t *testing.T, vm *kubevirtv1.VirtualMachine, changes ...change) {
	t.Helper()
	before := vm.DeepCopy()
	for _, apply := range changes {
		apply(vm)
	}
	if err := w.client.Patch(t.Context(), vm, client.MergeFrom(before)); err != nil {
		t.Fatal(err)
	}
}

// guest waits until a virtual machine has a guest in a phase, other than those given, and returns
// it.
func (w *world) guest(
	t *testing.T, vm *kubevirtv1.VirtualMachine, phase kubevirtv1.VirtualMachineInstancePhase, not ...types.UID,
) *kubevirtv1.VirtualMachineInstance {
	t.Helper()
	vmi := &kubevirtv1.VirtualMachineInstance{}
	eventually.Eventually(t, patience, fmt.Sprintf("the guest of %s is %s", vm.Name, phase),
		func(ctx context.Context) error {
			if err := w.client.Get(ctx, client.ObjectKeyFromObject(vm), vmi); err != nil {
				return err
			}
			for _, uid := range not {
				if vmi.UID == uid {
					return fmt.Errorf("it is the guest of before, %s", vmi.Status.Phase)
				}
			}
			if vmi.Status.Phase != phase {
				return fmt.Errorf("the guest is %s: %v", vmi.Status.Phase, vmi.Status.Conditions)
			}
			return nil
		})
	return vmi
}

// gone waits until objects do not exist.
func (w *world) gone(t *testing.T, objects ...client.Object) {
	t.Helper()
	for _, object := range objects {
		eventually.Eventually(t, patience, "the object is gone: "+object.GetName(), func(ctx context.Context) error {
			err := w.client.Get(ctx, client.ObjectKeyFromObject(object), object)
			if apierrors.IsNotFound(err) {
				return nil
			}
			return fmt.Errorf("%T %s is there: %w", object, object.GetName(), err)
		})
	}
}

func (w *world) delete(t *testing.T, object client.Object) {
	t.Helper()
	if err := w.client.Delete(t.Context(), object); err != nil {
		t.Fatal(err)
	}
}

func TestStopAndStart(t *testing.T) {
	inBothModes(t, func(t *testing.T, w *world, namespace string) {
		vm := machine(namespace, "vm")
		w.create(t, vm)
		first := w.guest(t, vm, kubevirtv1.Running)
		w.patch(t, vm, strategy(kubevirtv1.RunStrategyHalted))
		stopped := without("Stopped")
		stopped.Strategy = kubevirtv1.RunStrategyHalted
		for _, kind := range []string{"AgentConnected", "LiveMigratable", "StorageLiveMigratable"} {
			stopped.Conditions[kind] = "True" // KubeVirt leaves what the last guest said
		}
		w.wantVisible(t, vm, "a halted machine loses its guest", stopped)
		w.patch(t, vm, strategy(kubevirtv1.RunStrategyAlways))
		w.guest(t, vm, kubevirtv1.Running, first.UID)
		w.wantVisible(t, vm, "and gets a new one", running("vm"))
	})
}

func TestDeletedGuestIsReplaced(t *testing.T) {
	inBothModes(t, func(t *testing.T, w *world, namespace string) {
		vm := machine(namespace, "vm")
		w.create(t, vm)
		first := w.guest(t, vm, kubevirtv1.Running)
		w.delete(t, first)
		w.guest(t, vm, kubevirtv1.Running, first.UID)
		w.wantVisible(t, vm, "a machine that always runs is restarted", running("vm"))
	})
}

func TestCrash(t *testing.T) {
	inBothModes(t, func(t *testing.T, w *world, namespace string) {
		vm := machine(namespace, "vm", scripted(agent.CrashAnnotation, "once", agent.CrashAfterAnnotation, "1s"))
		w.create(t, vm)
		first := w.guest(t, vm, kubevirtv1.Running)
		w.guest(t, vm, kubevirtv1.Running, first.UID)
		w.wantVisible(t, vm, "the guest after the one that crashed stays", running("vm"))
	})
}

func TestDelete(t *testing.T) {
	inBothModes(t, func(t *testing.T, w *world, namespace string) {
		vm := machine(namespace, "vm", withImport("disk"))
		w.create(t, vm)
		vmi := w.guest(t, vm, kubevirtv1.Running)
		claim := &corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "disk"}}
		if err := w.client.Get(t.Context(), client.ObjectKeyFromObject(claim), claim); err != nil {
			t.Fatal(err)
		}
		volume := &corev1.PersistentVolume{ObjectMeta: metav1.ObjectMeta{Name: claim.Spec.VolumeName}}
		if err := w.client.Get(t.Context(), client.ObjectKeyFromObject(volume), volume); err != nil {
			t.Fatal(err)
		}
		w.delete(t, vm)
		w.gone(t, vm, vmi, &cdiv1.DataVolume{ObjectMeta: claim.ObjectMeta}, claim, volume)
		eventually.Eventually(t, patience, "no Pod is left", func(ctx context.Context) error {
			pods := &corev1.PodList{}
			if err := w.client.List(ctx, pods, client.InNamespace(namespace)); err != nil || len(pods.Items) == 0 {
				return err
			}
			return fmt.Errorf("%d Pods are left", len(pods.Items))
		})
	})
}

func TestHold(t *testing.T) {
	inBothModes(t, func(t *testing.T, w *world, namespace string) {
		vm := machine(namespace, "vm", scripted(agent.HoldAnnotation, "true"))
		w.create(t, vm)
		vmi := w.guest(t, vm, kubevirtv1.Running)
		w.delete(t, vm)
		eventually.Eventually(t, patience, "the machine terminates and its guest runs", func(ctx context.Context) error {
			got, err := w.see(ctx, vm)
			if err != nil || got.Status == kubevirtv1.VirtualMachineStatusTerminating && got.Phase == kubevirtv1.Running {
				return err
			}
			return fmt.Errorf("the machine is %s, its guest %s", got.Status, got.Phase)
		})
		w.patch(t, vm, scripted(agent.HoldAnnotation, "false"))
		w.gone(t, vm, vmi)
	})
}

func TestMissingObjectsAppear(t *testing.T) {
	cases := map[string]struct {
		reason string
		change change
		object func(namespace string) client.Object
		named  string
	}{
		"secret": {
			reason: "the guest boots when its user data come",
			change: withSecret("user-data"),
			object: func(namespace string) client.Object { return secret(namespace, "user-data") },
			named:  "Secret %s/user-data not found",
		},
		"network": {
			reason: "the guest starts when its network comes",
			change: withNetwork("storage"),
			object: func(namespace string) client.Object { return attachmentDefinition(namespace, "storage") },
			named:  "storage",
		},
		"claim": {
			reason: "the guest starts when its disk comes, which is bound by the default class",
			change: withClaim("data"),
			object: func(namespace string) client.Object {
				return plainClaim(namespace, "data")
			},
			named: "data",
		},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			inBothModes(t, func(t *testing.T, w *world, namespace string) {
				vm := machine(namespace, "vm", c.change)
				w.create(t, vm)
				named := c.named
				if strings.Contains(named, "%s") {
					named = fmt.Sprintf(named, namespace)
				}
				w.waitsFor(t, vm, named)
				w.create(t, c.object(namespace))
				w.guest(t, vm, kubevirtv1.Running)
				eventually.Eventually(t, patience, "the machine shows that its guest runs", func(ctx context.Context) error {
					got, err := w.see(ctx, vm)
					if err != nil {
						return err
					}
					if diff := cmp.Diff(running("vm"), got); diff != "" {
						return fmt.Errorf("%s: -want +got:\n%s", c.reason, diff)
					}
					return nil
				})
			})
		})
	}
}

// waitsFor waits until a virtual machine says that it is not in sync, with a text in the message.
func (w *world) waitsFor(t *testing.T, vm *kubevirtv1.VirtualMachine, text string) {
	t.Helper()
	eventually.Eventually(t, patience, "the machine says what it waits for: "+text, func(ctx context.Context) error {
		if _, err := w.see(ctx, vm); err != nil {
			return err
		}
		for _, c := range vm.Status.Conditions {
			if string(c.Type) == string(kubevirtv1.VirtualMachineInstanceSynchronized) && c.Status == corev1.ConditionFalse &&
				strings.Contains(c.Message, text) {
				return nil
			}
		}
		return fmt.Errorf("%s is not named in %v", text, vm.Status.Conditions)
	})
}

func TestMACInUse(t *testing.T) {
	inBothModes(t, func(t *testing.T, w *world, namespace string) {
		const mac = "02:00:00:00:be:ef"
		first := machine(namespace, "first", withMAC(mac))
		w.create(t, first)
		w.guest(t, first, kubevirtv1.Running)
		second := machine(namespace, "second", withMAC(strings.ToUpper(mac)))
		w.create(t, second)
		w.waitsFor(t, second, "MAC address "+mac+" is in use by VirtualMachineInstance "+namespace+"/first")
		w.delete(t, first)
		vmi := w.guest(t, second, kubevirtv1.Running)
		if got := vmi.Status.Interfaces[0].MAC; got != mac {
			t.Errorf("the guest's address is %s, not %s", got, mac)
		}
	})
}

func TestReport(t *testing.T) {
	inBothModes(t, func(t *testing.T, w *world, namespace string) {
		w.create(t, attachmentDefinition(namespace, "storage"))
		vm := machine(namespace, "vm", withNetwork("storage"), withImport("disk"), withMAC("02:00:00:00:00:07"),
			templated(agent.GuestAddressesAnnotation, "10.9.0.5,fd09::5,second=10.8.0.5"))
		w.create(t, vm)
		vmi := w.guest(t, vm, kubevirtv1.Running)
		want := []kubevirtv1.VirtualMachineInstanceNetworkInterface{
			{Name: "default", MAC: "02:00:00:00:00:07", IP: "10.9.0.5", IPs: []string{"10.9.0.5", "fd09::5"},
				InterfaceName: "eth0",
				InfoSource:    "domain, guest-agent", QueueCount: 1, LinkState: "up"},
			{Name: "second", MAC: vmi.Status.Interfaces[1].MAC, IP: "10.8.0.5", IPs: []string{"10.8.0.5"}, InterfaceName: "eth1",
				InfoSource: "domain, guest-agent, multus-status", QueueCount: 1, LinkState: "up"},
		}
		got := vmi.DeepCopy().Status.Interfaces
		for i := range got {
			got[i].PodInterfaceName = "" // of the Pod, which is there in mode real alone
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("interfaces: -want +got:\n%s", diff)
		}
		volumes := vmi.Status.VolumeStatus
		if len(volumes) != 2 || volumes[0].Name != "data" || volumes[0].Target != "vdb" || volumes[1].Target != "vda" ||
			volumes[0].PersistentVolumeClaimInfo == nil || volumes[0].PersistentVolumeClaimInfo.ClaimName != "disk" {
			t.Errorf("volumes: %+v", volumes)
		}
	})
}

func TestImportProgress(t *testing.T) {
	inBothModes(t, func(t *testing.T, w *world, namespace string) {
		vm := machine(namespace, "vm", withImport("disk", agent.ImportDurationAnnotation, "4s", agent.ImportStepsAnnotation,
			"2"))
		w.create(t, vm)
		volume := &cdiv1.DataVolume{}
		key := client.ObjectKey{Namespace: namespace, Name: "disk"}
		for _, progress := range []cdiv1.DataVolumeProgress{"50.0%", "100.0%"} {
			eventually.Eventually(t, patience, "the import shows its progress: "+string(progress),
				func(ctx context.Context) error {
					if err := w.client.Get(ctx, key, volume); err != nil {
						return err
					}
					if volume.Status.Progress != progress {
						return fmt.Errorf("progress is %s, not %s", volume.Status.Progress, progress)
					}
					return nil
				})
		}
		w.guest(t, vm, kubevirtv1.Running)
	})
}

func TestForeignClaimIsNotTaken(t *testing.T) {
	inBothModes(t, func(t *testing.T, w *world, namespace string) {
		vm := machine(namespace, "vm", withImport("disk"))
		claim := plainClaim(namespace, "disk")
		w.create(t, claim, vm)
		eventually.Eventually(t, patience, "the volume says that the claim is not its own", func(ctx context.Context) error {
			volume := &cdiv1.DataVolume{}
			if err := w.client.Get(ctx, client.ObjectKeyFromObject(claim), volume); err != nil {
				return err
			}
			for _, c := range volume.Status.Conditions {
				if c.Type == cdiv1.DataVolumeBound && c.Reason == "ErrResourceExists" {
					return nil
				}
			}
			return fmt.Errorf("%v", volume.Status)
		})
	})
}

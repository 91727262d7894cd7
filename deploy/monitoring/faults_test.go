package monitoring

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// fault is what an alert is for.
type fault struct {
	// fires are the alerts of it.
	fires []subject
	// begin makes it, end mends it.
	begin, end func(context.Context) error
	// early says that it was made before the operator was started.
	early bool
}

// inCluster is the alert about a cluster.
func inCluster(alert, config string) subject {
	return subject{alert: alert, label: "kubevirt_config", value: config}
}

const (
	day  = int64(24 * 60 * 60) // seconds
	hour = int64(60 * 60)
)

// early are the faults that are there before the operator is.
func early() []fault {
	return []fault{
		{
			early: true,
			fires: []subject{inCluster("RemoteCredentialExpires", east)},
			begin: func(ctx context.Context) error { return give(ctx, east, east, hour) },
			end:   func(ctx context.Context) error { return give(ctx, east, east, day) },
		},
		{
			early: true,
			fires: []subject{inCluster("RemoteClusterRightsMissing", east)},
			begin: func(ctx context.Context) error { return setRight(ctx, "delete", false) },
			end:   func(ctx context.Context) error { return setRight(ctx, "delete", true) },
		},
	}
}

// tracks are the faults of a running installation: those of a track come one after the other, the
// tracks side by side.
func tracks(i *installed) [][]fault {
	return [][]fault{
		{{ // first, because it takes longest
			fires: []subject{inCluster("RemoteWatchSilent", north)},
			begin: func(context.Context) error { return remote(north).SetFault(faults.Fault{Kind: faults.Stall}) },
			end:   func(context.Context) error { return remote(north).SetFault(faults.Fault{}) },
		}},
		{
			{
				fires: []subject{inCluster("RemoteClusterIdentityChanged", west)},
				begin: func(ctx context.Context) error { return give(ctx, west, east, day) },
				end:   func(ctx context.Context) error { return give(ctx, west, west, day) },
			},
			{
				fires: []subject{inCluster("RemoteClusterDisconnected", west)},
				begin: func(context.Context) error { return remote(west).SetFault(faults.Fault{Kind: faults.Blackhole}) },
				end:   func(context.Context) error { return remote(west).SetFault(faults.Fault{}) },
			},
		},
		{{
			fires: []subject{inCluster("KubeVirtNotReady", east)},
			begin: func(ctx context.Context) error { return setAvailable(ctx, "False") },
			end:   func(ctx context.Context) error { return setAvailable(ctx, "True") },
		}},
		{{
			fires: []subject{inCluster("OrphanedVirtualMachines", east)},
			begin: orphan, end: deleteOrphan,
		}},
		{{
			fires: []subject{inCluster("StartupCheckFailed", east)},
			begin: func(ctx context.Context) error { return setField(ctx, false) },
			end:   func(ctx context.Context) error { return setField(ctx, true) },
		}},
		{refused(), muted(), sidecarEnds(i)},
		{pluginCrashes(i)},
		{evacuationPauses()},
		{deletionHeld()},
		{rolloutPauses()},
		{moveStandsStill()},
	}
}

// rolloutPauses is one that somebody forgot.
func rolloutPauses() fault {
	rollout := &vitistackv1alpha1.MachineRollout{}
	rollout.Namespace, rollout.Name = "default", "forgotten"
	rollout.Spec = vitistackv1alpha1.MachineRolloutSpec{Action: vitistackv1alpha1.RolloutRestart, Paused: true}
	return fault{
		fires: []subject{{alert: "MachineRolloutPaused", label: "phase", value: "Paused"}},
		begin: func(ctx context.Context) error { return supervisor().Create(ctx, rollout) },
		end:   func(ctx context.Context) error { return supervisor().Delete(ctx, rollout) },
	}
}

// evacuationPauses is one of a cluster with Machines that somebody forgot.
func evacuationPauses() fault {
	evacuation := &vitistackv1alpha1.Evacuation{}
	evacuation.Namespace, evacuation.Name = fleet.ConfigsNamespace, east
	evacuation.Spec = vitistackv1alpha1.EvacuationSpec{Config: east, Paused: true}
	return fault{
		fires: []subject{inCluster("EvacuationPaused", east)},
		begin: func(ctx context.Context) error { return supervisor().Create(ctx, evacuation) },
		end:   func(ctx context.Context) error { return supervisor().Delete(ctx, evacuation) },
	}
}

// deletionHeld is a Machine whose status says what the operator would. It is paused, so that the
// operator leaves it alone.
func deletionHeld() fault {
	machine := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "held",
		Annotations: map[string]string{vitistackv1alpha1.AnnotationPaused: "true"}}}
	return fault{
		fires: []subject{inCluster("DeletionsHeld", "")},
		begin: func(ctx context.Context) error {
			if err := supervisor().Create(ctx, machine); err != nil {
				return err
			}
			before := machine.DeepCopy()
			machine.Status.SetCondition(metav1.Condition{Type: vitistackv1alpha1.ConditionDeletionHeld,
				Status: metav1.ConditionTrue, Reason: vitistackv1alpha1.ReasonDeletionHeld, Message: "the deletion is held",
				LastTransitionTime: metav1.Now()})
			return supervisor().Status().Patch(ctx, machine, client.MergeFrom(before))
		},
		end: func(ctx context.Context) error { return supervisor().Delete(ctx, machine) },
	}
}

// moveStandsStill is a move of a Machine that is not there. Its status is what the operator says.
func moveStandsStill() fault {
	move := &vitistackv1alpha1.MachineMove{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "nobody"}}
	move.Spec.MachineName = "nobody"
	return fault{
		fires: []subject{{alert: "MachineMoveStandsStill", label: "why", value: "Stalled"}},
		begin: func(ctx context.Context) error {
			if err := supervisor().Create(ctx, move); err != nil {
				return err
			}
			before := move.DeepCopy()
			move.Status.Phase = vitistackv1alpha1.MovePhasePending
			move.Status.Conditions = []metav1.Condition{{Type: vitistackv1alpha1.ConditionStalled, Status: metav1.ConditionTrue,
				Reason: vitistackv1alpha1.ReasonMachineNotFound, Message: "there is no Machine nobody",
				LastTransitionTime: metav1.Now()}}
			return supervisor().Status().Patch(ctx, move, client.MergeFrom(before))
		},
		end: func(ctx context.Context) error { return supervisor().Delete(ctx, move) },
	}
}

// refused is a remote cluster that takes no virtual machine of a namespace.
func refused() fault {
	r := refusal{cluster: remote(east), namespace: "refused", group: "kubevirt.io", resource: "virtualmachines",
		operation: "CREATE"}
	return fault{
		fires: []subject{
			inCluster("MachinesFailed", east), {alert: "MachineReconcileErrors", label: "reason", value: "Rejected"},
		},
		begin: func(ctx context.Context) error {
			if err := errors.Join(r.begin(ctx), createNamespace(ctx, r.namespace)); err != nil {
				return err
			}
			return oneEachSecond(ctx, r.namespace)
		},
		end: r.end,
	}
}

// muted is a supervisor that takes no status of the Machines of a namespace.
func muted() fault {
	r := refusal{cluster: remote("supervisor"), namespace: "muted", group: vitistackv1alpha1.SchemeGroupVersion.Group,
		resource: "machines/status", operation: "UPDATE"}
	return fault{
		fires: []subject{{alert: "MachineStatusNotWritten", label: "controller", value: "machine"}},
		begin: func(ctx context.Context) error {
			if err := errors.Join(r.begin(ctx), createNamespace(ctx, r.namespace)); err != nil {
				return err
			}
			return oneEachSecond(ctx, r.namespace)
		},
		end: r.end,
	}
}

// oneEachSecond creates Machines one by one: a Machine that fails is tried less and less often, and
// the back-off is not scaled as the rules are.
func oneEachSecond(ctx context.Context, namespace string) error {
	count := 0
	err := wait.PollUntilContextCancel(ctx, time.Second, true, func(ctx context.Context) (bool, error) {
		count++
		return count == 15, createMachine(ctx, namespace, fmt.Sprintf("web-%02d", count), east)
	})
	return err
}

// sidecarEnds is a strategy that is gone.
func sidecarEnds(i *installed) fault {
	return fault{
		fires: []subject{{alert: "PlacementPluginDown", label: "strategy", value: "spread"}},
		begin: func(context.Context) error { return i.sidecar.end() },
		end:   func(context.Context) error { return i.sidecar.begin() },
	}
}

// pluginCrashes is a strategy that crashes so often that the operator puts it in quarantine. A new
// build of it, with its digest, ends that.
func pluginCrashes(i *installed) fault {
	const plugin = "placement-search"
	return fault{
		fires: []subject{{alert: "PlacementPluginDown", label: "strategy", value: "search"}},
		begin: func(ctx context.Context) error {
			return until(ctx, plugin+" is in quarantine", func(context.Context) error {
				if i.quarantined() {
					return nil
				}
				return errors.Join(errors.New("it is not"), i.kill(plugin))
			})
		},
		end: func(context.Context) error { return i.replace(plugin) },
	}
}

// operatorEnds is an operator that is gone.
func operatorEnds(i *installed) fault {
	return fault{
		fires: []subject{{alert: "OperatorDown"}},
		begin: func(context.Context) error { return i.operator.end() },
		end:   func(context.Context) error { return i.operator.begin() },
	}
}

// shardIsNobodys is an operator that shares the clusters out, alone: it holds one of two shards.
func shardIsNobodys(i *installed) fault {
	const flag = "--shards=2"
	again := func(change func()) error {
		err := i.operator.end()
		change()
		return errors.Join(err, i.operator.begin())
	}
	return fault{
		fires: []subject{{alert: "ShardNotHeld", label: "lease", value: lease}},
		begin: func(ctx context.Context) error {
			role := &rbacv1.Role{}
			err := edit(ctx, supervisor(), client.ObjectKey{Namespace: own, Name: own}, role, func() error {
				for i, rule := range role.Rules {
					if slices.Contains(rule.ResourceNames, lease) {
						role.Rules[i].ResourceNames = append(role.Rules[i].ResourceNames, lease+"-1")
						return nil
					}
				}
				return errors.New("no rule is about the lease")
			})
			return errors.Join(err, again(func() { i.operator.args = append(i.operator.args, flag) }))
		},
		end: func(context.Context) error {
			return again(func() {
				i.operator.args = slices.DeleteFunc(i.operator.args, func(arg string) bool { return arg == flag })
			})
		},
	}
}

// lease is the default of --leader-election-id.
const lease = "09393f52.vitistack.io"

// setRight gives or takes a right on virtual machines in the remote cluster.
func setRight(ctx context.Context, verb string, given bool) error {
	role := &rbacv1.ClusterRole{}
	return edit(ctx, remote(east).Client(), client.ObjectKey{Name: own + "-remote"}, role, func() error {
		for i, rule := range role.Rules {
			if len(rule.Resources) != 1 || rule.Resources[0] != "virtualmachines" {
				continue
			}
			verbs := []string{}
			for _, each := range rule.Verbs {
				if each != verb {
					verbs = append(verbs, each)
				}
			}
			if given {
				verbs = append(verbs, verb)
			}
			role.Rules[i].Verbs = verbs
			return nil
		}
		return errors.New("the role has no rule for virtual machines")
	})
}

// setAvailable lets KubeVirt say of itself whether it works.
func setAvailable(ctx context.Context, status string) error {
	kubeVirt := foreign("kubevirt.io/v1", "KubeVirt")
	c := remote(east).Client()
	if err := c.Get(ctx, client.ObjectKey{Namespace: "kubevirt", Name: "kubevirt"}, kubeVirt); err != nil {
		return err
	}
	before := kubeVirt.DeepCopy()
	conditions, _, err := unstructured.NestedSlice(kubeVirt.Object, "status", "conditions")
	if err != nil {
		return err
	}
	for _, each := range conditions {
		if condition := each.(map[string]any); condition["type"] == "Available" {
			condition["status"] = status
		}
	}
	if err := unstructured.SetNestedSlice(kubeVirt.Object, conditions, "status", "conditions"); err != nil {
		return err
	}
	return c.Status().Patch(ctx, kubeVirt, client.MergeFrom(before))
}

// setField gives or takes a field of KubeVirt's definitions that the operator reads.
func setField(ctx context.Context, given bool) error {
	definition := foreign("apiextensions.k8s.io/v1", "CustomResourceDefinition")
	key := client.ObjectKey{Name: "virtualmachineinstances.kubevirt.io"}
	return edit(ctx, remote(east).Client(), key, definition, func() error {
		versions, _, err := unstructured.NestedSlice(definition.Object, "spec", "versions")
		if err != nil {
			return err
		}
		for _, each := range versions {
			path := []string{"schema", "openAPIV3Schema", "properties", "status", "properties", "guestOSInfo", "properties"}
			fields, found, err := unstructured.NestedMap(each.(map[string]any), path...)
			if err != nil {
				return err
			}
			if !found {
				return errors.New("the definition has no fields of guestOSInfo")
			}
			delete(fields, "versionId")
			if given {
				fields["versionId"] = map[string]any{"type": "string"}
			}
			if err := unstructured.SetNestedMap(each.(map[string]any), fields, path...); err != nil {
				return err
			}
		}
		return unstructured.SetNestedSlice(definition.Object, versions, "spec", "versions")
	})
}

// orphan makes a virtual machine whose Machine does not exist, as after a restore of the
// supervisor: a copy of the one of web-east.
func orphan(ctx context.Context) error {
	vm := foreign("kubevirt.io/v1", "VirtualMachine")
	c := remote(east).Client()
	if err := c.Get(ctx, client.ObjectKey{Namespace: "default", Name: "vm-web-" + east}, vm); err != nil {
		return err
	}
	left := foreign("kubevirt.io/v1", "VirtualMachine")
	left.SetNamespace("default")
	left.SetName("left-behind")
	labels := vm.GetLabels()
	labels[vitistackv1alpha1.LabelMachineUID] = "6f1d1a5e-0000-4000-8000-000000000001"
	left.SetLabels(labels)
	left.Object["spec"] = map[string]any{
		"runStrategy": "Halted",
		"template": map[string]any{"spec": map[string]any{"domain": map[string]any{
			"devices": map[string]any{}, "memory": map[string]any{"guest": "64Mi"},
		}}},
	}
	return c.Create(ctx, left)
}

func deleteOrphan(ctx context.Context) error {
	left := foreign("kubevirt.io/v1", "VirtualMachine")
	left.SetNamespace("default")
	left.SetName("left-behind")
	return remote(east).Client().Delete(ctx, left)
}

package timed

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/report"
	"github.com/vitistack/kubevirt-multicluster/testkit/bench/stage"
	"golang.org/x/sync/errgroup"
)

// The rows of Restart.
const (
	RowFirst   = "restart-first-new-machine"
	RowAllTrue = "restart-all-statuses-true"
)

// RestartRemotes is how many remote clusters the stage of Restart has.
const RestartRemotes = 8

// RestartSizes say how much Restart measures.
type RestartSizes struct {
	// Machines over all clusters. Changed of their guests change while the operator is down.
	Machines, Changed int
	// Turns is how often the operator is started anew.
	Turns int
}

// restarting is a fleet full of Machines with guests.
type restarting struct {
	*stage.Stage
	RestartSizes
	namespace string
}

// Restart times from the start of the operator's process until a Machine that is created at that
// moment has its virtual machine, and until the status of every Machine is true: guests that
// changed meanwhile are shown.
func Restart(ctx context.Context, s *stage.Stage, sizes RestartSizes) ([]report.Row, error) {
	r := restarting{Stage: s, RestartSizes: sizes, namespace: "restart"}
	if err := r.FreezeKubeVirt(); err != nil {
		return nil, err
	}
	if err := r.fill(ctx); err != nil {
		return nil, err
	}
	var first, all []float64
	for turn := range sizes.Turns {
		served, shown, err := r.turn(ctx, turn)
		if err != nil {
			return nil, err
		}
		r.Say("  first new Machine %.2f s, all statuses %.2f s", served.Seconds(), shown.Seconds())
		first, all = append(first, served.Seconds()), append(all, shown.Seconds())
	}
	note := fmt.Sprintf("%d Machines over %d clusters, %d guests changed meanwhile", sizes.Machines,
		len(s.Fleet.Remotes), sizes.Changed)
	return []report.Row{
		report.Median(RowFirst, report.Seconds, 2, first).Noted("%s", note),
		report.Median(RowAllTrue, report.Seconds, 15, all).Noted("%s", note),
	}, nil
}

func (r restarting) looker(i int) client.WithWatch { return r.Lookers[i%len(r.Lookers)] }

// fill has the operator make all virtual machines, and gives each of them a guest that runs.
func (r restarting) fill(ctx context.Context) error {
	r.Say("\n%d Machines over %d clusters:", r.Machines, len(r.Lookers))
	start := time.Now()
	if err := r.MakeNamespaces(ctx, r.namespace); err != nil {
		return err
	}
	phases, err := r.await(ctx, r.Machines, func(machine *vitistackv1alpha1.Machine) bool {
		return machine.Status.Phase == vitistackv1alpha1.MachinePhaseStopped
	})
	if err != nil {
		return err
	}
	err = stage.SideBySide(ctx, r.Machines, func(ctx context.Context, i int) error {
		config := r.Fleet.Remotes[i%len(r.Lookers)].Name
		return r.Admin.Create(ctx, stage.NewMachine(r.namespace, machineName(i), config))
	})
	if err = errors.Join(err, phases()); err != nil {
		return fmt.Errorf("virtual machines: %w", err)
	}
	r.Say("  %5.1f s  virtual machines are made", time.Since(start).Seconds())
	running, err := r.await(ctx, r.Machines, func(machine *vitistackv1alpha1.Machine) bool {
		return machine.Status.NodeName == "node-0"
	})
	if err != nil {
		return err
	}
	err = stage.SideBySide(ctx, r.Machines, r.makeGuest)
	if err = errors.Join(err, running()); err != nil {
		return fmt.Errorf("guests: %w", err)
	}
	r.Say("  %5.1f s  guests run", time.Since(start).Seconds())
	return nil
}

func machineName(i int) string { return fmt.Sprintf("m%05d", i) }

func (r restarting) makeGuest(ctx context.Context, i int) error {
	vm := &kubevirtv1.VirtualMachine{}
	key := client.ObjectKey{Namespace: r.namespace, Name: "vm-" + machineName(i)}
	if err := r.looker(i).Get(ctx, key, vm); err != nil {
		return err
	}
	return r.looker(i).Create(ctx, newGuest(vm, "node-0"))
}

// turn stops the operator, changes guests, starts it again and takes the times.
func (r restarting) turn(ctx context.Context, turn int) (served, shown time.Duration, err error) {
	if err := r.StopOperator(ctx); err != nil {
		return 0, 0, err
	}
	node := fmt.Sprintf("node-%d", turn+1)
	statuses, err := r.await(ctx, r.Changed, func(machine *vitistackv1alpha1.Machine) bool {
		return machine.Status.NodeName == node
	})
	if err != nil {
		return 0, 0, err
	}
	err = stage.SideBySide(ctx, r.Changed, func(ctx context.Context, i int) error {
		vmi := &kubevirtv1.VirtualMachineInstance{}
		vmi.Namespace, vmi.Name = r.namespace, "vm-"+machineName(i)
		patch := client.RawPatch("application/merge-patch+json", fmt.Appendf(nil, `{"status":{"nodeName":%q}}`, node))
		return r.looker(i).Patch(ctx, vmi, patch)
	})
	if err != nil {
		return 0, 0, err
	}
	vms, err := stage.WatchIn(ctx, r.Lookers[0], &kubevirtv1.VirtualMachineList{}, r.namespace)
	if err != nil {
		return 0, 0, err
	}
	defer vms.Stop()
	if err := r.StartOperator(); err != nil {
		return 0, 0, err
	}
	machine := stage.NewMachine(r.namespace, fmt.Sprintf("new-%d", turn), r.Fleet.Remotes[0].Name)
	if err := r.Admin.Create(ctx, machine); err != nil {
		return 0, 0, err
	}
	if err := each(ctx, vms, 1, func(client.Object) {}); err != nil {
		return 0, 0, err
	}
	served = time.Since(r.Started())
	err = statuses()
	return served, time.Since(r.Started()), err
}

// await begins to watch Machines, and returns what waits until so many of them are as they should
// be.
func (r restarting) await(
	ctx context.Context, count int, is func(*vitistackv1alpha1.Machine) bool,
) (wait func() error, err error) {
	ctx, cancel := context.WithTimeout(ctx, 10*stage.Patience)
	machines, err := stage.WatchIn(ctx, r.Admin, &vitistackv1alpha1.MachineList{}, r.namespace)
	if err != nil {
		cancel()
		return nil, err
	}
	var waiting errgroup.Group
	waiting.Go(func() error {
		defer cancel()
		defer machines.Stop()
		return seeMachines(ctx, machines, count, is)
	})
	return sync.OnceValue(waiting.Wait), nil
}

// seeMachines waits until so many different Machines were seen as they should be.
func seeMachines(
	ctx context.Context, machines watch.Interface, count int, is func(*vitistackv1alpha1.Machine) bool,
) error {
	seen := map[string]bool{}
	for len(seen) < count {
		select {
		case <-ctx.Done():
			return fmt.Errorf("%d of %d Machines: %w", len(seen), count, ctx.Err())
		case event, open := <-machines.ResultChan():
			if !open {
				return errors.New("a watch ended")
			}
			if machine, ok := event.Object.(*vitistackv1alpha1.Machine); ok && is(machine) {
				seen[machine.Name] = true
			}
		}
	}
	return nil
}

// newGuest is the guest of a VirtualMachine, running on a node.
func newGuest(vm *kubevirtv1.VirtualMachine, node string) *kubevirtv1.VirtualMachineInstance {
	return &kubevirtv1.VirtualMachineInstance{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: vm.Namespace, Name: vm.Name, Labels: vm.Spec.Template.ObjectMeta.Labels,
			OwnerReferences: []metav1.OwnerReference{*metav1.NewControllerRef(vm, kubevirtv1.VirtualMachineGroupVersionKind)},
		},
		Spec: vm.Spec.Template.Spec,
		Status: kubevirtv1.VirtualMachineInstanceStatus{
			Phase: kubevirtv1.Running, NodeName: node,
			Conditions: []kubevirtv1.VirtualMachineInstanceCondition{{Type: kubevirtv1.VirtualMachineInstanceReady,
				Status: "True"}},
		},
	}
}

package agent

import (
	"context"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

// virtController plays virt-controller in a light cluster: it makes instances and DataVolumes for
// VirtualMachines.
type virtController struct {
	client client.Client
	events events.EventRecorder
}

// machine is what virt-controller knows of one VirtualMachine.
type machine struct {
	vm      *kubevirtv1.VirtualMachine
	vmi     *kubevirtv1.VirtualMachineInstance // nil if there is none
	volumes map[string]*cdiv1.DataVolume       // those that exist of the ones that it names
	failure error                              // why something could not be made
}

func (a *Agent) setUpLight(manager ctrl.Manager) error {
	c := &virtController{client: manager.GetClient(), events: manager.GetEventRecorder("virtualmachine-controller")}
	return a.control(manager, "machine", &kubevirtv1.VirtualMachine{}, c,
		onChange(&kubevirtv1.VirtualMachineInstance{}, sameName),
		on(&cdiv1.DataVolume{}, machinesOfVolume(c.client)))
}

// Reconcile takes a VirtualMachine one step on, and reports on it.
func (c *virtController) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	m, err := c.observe(ctx, request.NamespacedName)
	if err != nil {
		return reconcile.Result{}, err
	}
	if m.vm.DeletionTimestamp != nil && m.vmi == nil {
		return reconcile.Result{}, removeFinalizer(ctx, c.client, m.vm, kubevirtv1.VirtualMachineControllerFinalizer)
	}
	if err := c.addFinalizer(ctx, m); err != nil {
		return reconcile.Result{}, err
	}
	before := m.vm.DeepCopy()
	countFailure(m)
	had := m.vmi != nil
	wait, err := c.act(ctx, m)
	if err != nil {
		m.failure = err
	} else if !had && m.vmi != nil {
		return reconcile.Result{}, nil // what becomes of the new guest follows at once, and is worth more than that it is new
	}
	describe(m)
	if err := patchStatus(ctx, c.client, before, m.vm); err != nil {
		return reconcile.Result{}, err
	}
	if m.failure != nil {
		return reconcile.Result{}, m.failure
	}
	return reconcile.Result{RequeueAfter: wait}, c.dismiss(ctx, m)
}

func (c *virtController) observe(ctx context.Context, key types.NamespacedName) (*machine, error) {
	m := &machine{vm: &kubevirtv1.VirtualMachine{}, volumes: map[string]*cdiv1.DataVolume{}}
	if err := c.client.Get(ctx, key, m.vm); err != nil {
		return nil, err
	}
	vmi := &kubevirtv1.VirtualMachineInstance{}
	if err := c.client.Get(ctx, key, vmi); err == nil && metav1.IsControlledBy(vmi, m.vm) {
		m.vmi = vmi
	} else if client.IgnoreNotFound(err) != nil {
		return nil, err
	}
	for _, name := range volumesNamed(m.vm) {
		volume := &cdiv1.DataVolume{}
		if err := c.client.Get(ctx, types.NamespacedName{Namespace: key.Namespace, Name: name}, volume); err == nil {
			m.volumes[name] = volume
		} else if !apierrors.IsNotFound(err) {
			return nil, err
		}
	}
	return m, nil
}

func (c *virtController) addFinalizer(ctx context.Context, m *machine) error {
	if m.vm.DeletionTimestamp != nil || slices.Contains(m.vm.Finalizers, kubevirtv1.VirtualMachineControllerFinalizer) {
		return nil
	}
	kept := m.vm.DeepCopy()
	kept.Finalizers = append(kept.Finalizers, kubevirtv1.VirtualMachineControllerFinalizer)
	if err := patch(ctx, c.client, m.vm, kept); err != nil {
		return err
	}
	m.vm = kept
	return nil
}

// act starts or stops the guest, as the run strategy and the requests of the subresources ask.
func (c *virtController) act(ctx context.Context, m *machine) (time.Duration, error) {
	if m.vm.DeletionTimestamp != nil {
		return 0, c.stop(ctx, m)
	}
	ready, err := c.makeVolumes(ctx, m)
	if err != nil {
		return 0, err
	}
	strategy, err := m.vm.RunStrategy()
	if err != nil {
		return 0, err
	}
	if m.vmi != nil {
		if stops(m, strategy) {
			return 0, c.stop(ctx, m)
		}
		return 0, nil
	}
	if !ready || !starts(m, strategy) {
		return 0, nil
	}
	if left := backoff(m.vm); left > 0 && strategy != kubevirtv1.RunStrategyManual {
		return left, nil
	}
	return 0, c.start(ctx, m)
}

func (c *virtController) start(ctx context.Context, m *machine) error {
	vmi := instanceFor(m.vm)
	if err := c.client.Create(ctx, vmi); err != nil {
		if apierrors.IsAlreadyExists(err) {
			return nil // made a moment ago, or somebody else's
		}
		return fmt.Errorf("creating the VirtualMachineInstance: %w", err)
	}
	m.vmi = vmi
	return nil
}

func (c *virtController) stop(ctx context.Context, m *machine) error {
	if m.vmi.DeletionTimestamp != nil {
		return nil
	}
	err := c.client.Delete(ctx, m.vmi, client.Preconditions{UID: &m.vmi.UID})
	if err = client.IgnoreNotFound(err); err == nil {
		m.vmi = m.vmi.DeepCopy()
		m.vmi.DeletionTimestamp = &metav1.Time{Time: time.Now()}
	}
	return err
}

// dismiss lets a guest that has ended go: all about it is on its VirtualMachine now.
func (c *virtController) dismiss(ctx context.Context, m *machine) error {
	if m.vmi == nil || !m.vmi.IsFinal() {
		return nil
	}
	return removeFinalizer(ctx, c.client, m.vmi, kubevirtv1.VirtualMachineControllerFinalizer)
}

// makeVolumes creates the DataVolumes for which there are templates, and says whether all of them
// are filled, or wait for an instance.
func (c *virtController) makeVolumes(ctx context.Context, m *machine) (ready bool, err error) {
	ready = true
	for _, template := range m.vm.Spec.DataVolumeTemplates {
		volume := m.volumes[template.Name]
		if volume == nil {
			volume = volumeOf(m.vm, template)
			if err := c.client.Create(ctx, volume); err != nil && !apierrors.IsAlreadyExists(err) {
				return false, fmt.Errorf("creating DataVolume %s: %w", template.Name, err)
			}
			m.volumes[template.Name] = volume
		}
		if volume.Status.Phase == cdiv1.Failed {
			c.events.Eventf(m.vm, nil, corev1.EventTypeWarning, "FailedDataVolumeImport", "Import",
				"DataVolume %s failed to import disk image", volume.Name)
		}
		ready = ready && (volume.Status.Phase == cdiv1.Succeeded || volume.Status.Phase == cdiv1.WaitForFirstConsumer)
	}
	return ready, nil
}

// machinesOfVolume returns the VirtualMachine that has a DataVolume.
func machinesOfVolume(c client.Client) func(context.Context, client.Object) []reconcile.Request {
	return func(ctx context.Context, object client.Object) []reconcile.Request {
		machines := &kubevirtv1.VirtualMachineList{}
		err := c.List(ctx, machines, client.InNamespace(object.GetNamespace()),
			client.MatchingFields{volumeIndex: object.GetName()})
		if err != nil {
			return nil // the cache has stopped
		}
		var requests []reconcile.Request
		for i := range machines.Items {
			requests = append(requests, reconcile.Request{NamespacedName: keyOf(&machines.Items[i])})
		}
		return requests
	}
}

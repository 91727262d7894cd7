package status

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/cli/reach"
)

// remoteTimeout is for all questions to the remote cluster: the Machine's own side is shown in any
// case.
const remoteTimeout = 10 * time.Second

// View is what was read of one Machine.
type View struct {
	// Now is when it was read.
	Now time.Time
	// Machine is the object in the supervisor.
	Machine *vitistackv1alpha1.Machine
	// Config is the KubevirtConfig of its place, nil where it has none or none could be read.
	Config *vitistackv1alpha1.KubevirtConfig
	// VM, VMI and Disks are what is in the remote cluster, nil where nothing is.
	VM    *kubevirtv1.VirtualMachine
	VMI   *kubevirtv1.VirtualMachineInstance
	Disks map[string]Disk // by the name of the claim
	// Events are those of the Machine, RemoteEvents those of what stands for it in the remote
	// cluster, the newest last.
	Events, RemoteEvents []Event
	// Missing says what could not be read, and why.
	Missing []string
}

// Disk is what is known of one claim.
type Disk struct {
	DataVolume *cdiv1beta1.DataVolume
	Claim      *corev1.PersistentVolumeClaim
}

// Event is one line of history.
type Event struct {
	At              time.Time
	Warning         bool
	Reason, Message string
}

// gather reads both sides of a Machine. The error is that of reading the Machine.
func gather(ctx context.Context, supervisor *reach.Supervisor, key client.ObjectKey, by reach.Access) (*View, error) {
	machine, err := reach.Machine(ctx, supervisor, key)
	if err != nil {
		return nil, err
	}
	v := &View{Now: time.Now(), Machine: machine}
	v.Events, err = eventsOf(ctx, supervisor, machine.Namespace, machine.UID)
	v.miss("the events of the Machine", err)
	ledger, err := vitistackv1alpha1.LedgerOf(machine)
	if err != nil {
		return v, nil //nolint:nilerr // without a record there is no remote side
	}
	ctx, cancel := context.WithTimeout(ctx, remoteTimeout)
	defer cancel()
	if v.Config, err = supervisor.KubevirtConfig(ctx, ledger.Config); err != nil {
		v.miss("the cluster", err)
		return v, nil
	}
	remote, err := by.Open(ctx, supervisor, v.Config)
	if err == nil {
		err = v.remote(ctx, remote, ledger)
	}
	v.miss("the remote cluster "+ledger.Config, err)
	return v, nil
}

// miss notes what could not be read.
func (v *View) miss(what string, err error) {
	if err != nil {
		v.Missing = append(v.Missing, fmt.Sprintf("%s: %v", what, err))
	}
}

// remote reads the remote side. An error ends it where nothing else would answer either.
func (v *View) remote(ctx context.Context, remote *reach.Cluster, ledger vitistackv1alpha1.Ledger) error {
	uid, err := remote.Identity(ctx)
	if err != nil {
		return err
	}
	if ledger.ClusterUID != "" && uid != ledger.ClusterUID {
		return fmt.Errorf("the kubeconfig leads to another cluster (%s)", uid)
	}
	key := client.ObjectKey{Namespace: ledger.Namespace, Name: ledger.VMName}
	vm, vmi := &kubevirtv1.VirtualMachine{}, &kubevirtv1.VirtualMachineInstance{}
	if err := remote.Get(ctx, key, vm); err != nil {
		if !apierrors.IsNotFound(err) {
			return fmt.Errorf("VirtualMachine %s: %w", key, err)
		}
		return nil
	}
	v.VM = vm
	err = remote.Get(ctx, key, vmi)
	if err == nil {
		v.VMI = vmi
	}
	v.miss("VirtualMachineInstance "+key.String(), client.IgnoreNotFound(err))
	v.disks(ctx, remote)
	v.remoteEvents(ctx, remote)
	return nil
}

// disks reads what is behind the volumes of the VirtualMachine.
func (v *View) disks(ctx context.Context, remote client.Reader) {
	v.Disks = map[string]Disk{}
	for _, volume := range v.VM.Spec.Template.Spec.Volumes {
		name := claimOf(volume)
		if name == "" {
			continue
		}
		key := client.ObjectKey{Namespace: v.VM.Namespace, Name: name}
		volume, claim := &cdiv1beta1.DataVolume{}, &corev1.PersistentVolumeClaim{}
		var disk Disk
		errVolume, errClaim := remote.Get(ctx, key, volume), remote.Get(ctx, key, claim)
		if errVolume == nil {
			disk.DataVolume = volume
		}
		if errClaim == nil {
			disk.Claim = claim
		}
		v.Disks[name] = disk
		v.miss("disk "+name, errors.Join(client.IgnoreNotFound(errVolume), client.IgnoreNotFound(errClaim)))
	}
}

// claimOf is the name of the claim of a volume, "" for one without.
func claimOf(volume kubevirtv1.Volume) string {
	switch {
	case volume.DataVolume != nil:
		return volume.DataVolume.Name
	case volume.PersistentVolumeClaim != nil:
		return volume.PersistentVolumeClaim.ClaimName
	}
	return ""
}

// remoteEvents reads the events of the VirtualMachine, its instance and its disks.
func (v *View) remoteEvents(ctx context.Context, remote client.Reader) {
	uids := []types.UID{v.VM.UID}
	if v.VMI != nil {
		uids = append(uids, v.VMI.UID)
	}
	for _, disk := range v.Disks {
		if disk.DataVolume != nil {
			uids = append(uids, disk.DataVolume.UID)
		}
	}
	for _, uid := range uids {
		some, err := eventsOf(ctx, remote, v.VM.Namespace, uid)
		if apierrors.IsForbidden(err) {
			v.Missing = append(v.Missing, "the events of the remote cluster: the operator's kubeconfig may not read them; "+
				"--remote-kubeconfig and --remote-context take yours")
			return
		}
		v.miss("the events of the remote cluster", err)
		v.RemoteEvents = append(v.RemoteEvents, some...)
	}
	sortEvents(v.RemoteEvents)
}

// eventsOf are the events about one object, the newest last.
func eventsOf(ctx context.Context, server client.Reader, namespace string, uid types.UID) ([]Event, error) {
	list := &corev1.EventList{}
	err := server.List(ctx, list, client.InNamespace(namespace), client.MatchingFields{"involvedObject.uid": string(uid)})
	if err != nil {
		return nil, err
	}
	var all []Event
	for i := range list.Items {
		each := &list.Items[i]
		at := cmp.Or(each.LastTimestamp.Time, each.EventTime.Time)
		if each.Series != nil {
			at = each.Series.LastObservedTime.Time
		}
		all = append(all, Event{
			At: at, Warning: each.Type == corev1.EventTypeWarning, Reason: each.Reason, Message: each.Message,
		})
	}
	sortEvents(all)
	return all, nil
}

func sortEvents(all []Event) {
	slices.SortStableFunc(all, func(a, b Event) int { return a.At.Compare(b.At) })
}

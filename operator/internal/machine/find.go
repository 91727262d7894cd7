package machine

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/custody"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/provision"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/survey"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// found is a Machine's VirtualMachine, and how far what is known of it may be trusted.
type found struct {
	// VM is the VirtualMachine, nil where the cluster answered that there is none.
	VM *kubevirtv1.VirtualMachine
	// FromCache says that the cache shows it: an event tells when it changes.
	FromCache bool
	// Answered says that the cluster answered, whatever the judge made of it.
	Answered bool
	// Former is the UID of the Machine that it was made for, where that is another one that is
	// gone. "" is none.
	Former types.UID
	// Restored says that it came back under another UID than the ledger has.
	Restored bool
	// Copies are objects with the Machine's labels that are not the Machine's, for people.
	Copies []string
	// Case is what the judge decided by, for whether a VirtualMachine that is absent may be made.
	Case custody.Case
}

const vmReady = vitistackv1alpha1.ConditionVirtualMachineReady

// find looks for the Machine's VirtualMachine: in the cache and, where that does not show it, with
// a live look, because a cache that lacks it proves nothing.
func (r *MachineReconciler) find(ctx context.Context, job provision.Job, placed place) (found, error) {
	vm := &kubevirtv1.VirtualMachine{}
	key := client.ObjectKey{Namespace: job.Ledger.Namespace, Name: job.Ledger.VMName}
	err := job.Remote.Cache.Get(ctx, key, vm)
	switch {
	case err == nil && r.isMine(job, vm):
		copies, err := r.copies(ctx, job, vm)
		return found{VM: vm, FromCache: true, Answered: true, Copies: copies}, err
	case err != nil && !apierrors.IsNotFound(err):
		return found{}, problem.Remote(err, job.Remote.Config,
			problem.At{Condition: vmReady, Doing: "reading VirtualMachine " + key.Name})
	}
	seen := r.lately(ctx, placed, job)
	if seen.Silent != nil {
		return found{}, problem.Remote(seen.Silent, job.Remote.Config,
			problem.At{Condition: vmReady, Doing: "looking for VirtualMachine " + key.Name})
	}
	return r.judged(ctx, job, seen)
}

// isMine asks the judge about one VirtualMachine that the cache shows.
func (r *MachineReconciler) isMine(job provision.Job, vm *kubevirtv1.VirtualMachine) bool {
	look := survey.Answered(job.Remote.Config, job.Remote.ClusterUID, vm).Look
	c := custody.Case{Machine: r.subject(job.Machine, job.Ledger.VMName), Record: r.record(job.Ledger)}
	return c.Relation(look, look.Found[0]) == custody.Mine
}

// lately is a live look into the Machine's cluster: the one that this reconcile made before it
// wrote the ledger, whose guard shows that nobody can have made the VirtualMachine since; else a
// new one.
func (r *MachineReconciler) lately(ctx context.Context, placed place, job provision.Job) survey.Seen {
	i := slices.IndexFunc(placed.seen, func(s survey.Seen) bool {
		return s.Config == job.Remote.Config && s.Silent == nil
	})
	if i >= 0 && placed.fenced {
		return placed.seen[i]
	}
	return survey.In(ctx, r.KubevirtClientMgr, job.Remote.Config, r.lookFor(job.Machine, job.Ledger.VMName, true))
}

// judged asks the judge about what a live look saw.
func (r *MachineReconciler) judged(ctx context.Context, job provision.Job, seen survey.Seen) (found, error) {
	c, err := r.caseOf(ctx, job.Machine, job.Ledger.VMName, r.record(job.Ledger), survey.All{seen})
	if err != nil {
		return found{}, err
	}
	finding := c.Find()
	result := found{Case: c, Answered: true}
	for _, each := range finding.Copies {
		result.Copies = append(result.Copies, each.String())
	}
	switch finding.Is {
	case custody.Absent:
		return result, nil
	case custody.Yours:
		result.VM = seen.VM(finding.Place.VM.UID)
		result.Restored = finding.Relation == custody.Restored
		if finding.Relation == custody.OtherMachineGone {
			result.Former = types.UID(finding.Place.VM.Labels[vitistackv1alpha1.LabelMachineUID])
		}
		return result, nil
	case custody.Undecided:
		result.Answered = false
		return result, problem.Cluster(vmReady, finding.Reason, "%s", finding.Message)
	default:
		return result, problem.Person(vmReady, finding.Reason, "%s", finding.Message)
	}
}

// copies looks in the cache for objects that carry the Machine's labels and are not the Machine's,
// where an event told of one or the status knows of one. At rest nobody looks.
func (r *MachineReconciler) copies(
	ctx context.Context, job provision.Job, mine *kubevirtv1.VirtualMachine,
) ([]string, error) {
	known := job.Machine.Status.Condition(vitistackv1alpha1.ConditionNoCopies)
	if !r.memory.copies.Changed(job.Machine.UID) && (known == nil || known.Status == "True") {
		return nil, nil
	}
	r.memory.copies.Looked(job.Machine.UID)
	list := &kubevirtv1.VirtualMachineList{}
	labels := client.MatchingLabels{vitistackv1alpha1.LabelMachineUID: desired.LabelValue(string(job.Machine.UID))}
	if err := job.Remote.Cache.List(ctx, list, client.InNamespace(mine.Namespace), labels); err != nil {
		return nil, problem.Remote(err, job.Remote.Config, problem.At{Condition: vmReady, Doing: "looking for copies"})
	}
	var copies []string
	for i := range list.Items {
		if list.Items[i].UID != mine.UID {
			copies = append(copies, fmt.Sprintf("VirtualMachine %s in %s", list.Items[i].Name, job.Remote.Config))
		}
	}
	slices.Sort(copies)
	return copies, nil
}

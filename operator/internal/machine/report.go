package machine

import (
	"time"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/provision"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/wake"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/observed"
)

// report is what a reconcile tells: the input of the status, and how the reconcile ended. Each step
// returns what it found, and the list of steps puts that into the report; no step sees it.
type report struct {
	observed.Input
	before *vitistackv1alpha1.Machine // as it was read
	reads  *wake.Reads
	news   time.Time     // when the oldest news of the remote cluster came, zero for none
	config string        // of the remote cluster whose cache was read, "" for none
	err    error         // a *problem.Problem that ended the reconcile, or nil
	again  time.Duration // when to come back although all is well, 0 for not
	later  time.Duration // when to look at the guest again, 0 for not
	unseen bool          // the VirtualMachine exists and the cache does not show it
	gone   bool          // the Machine was let go: there is no status to write
}

// ended is the report of a reconcile that a step ended.
func (v report) ended(step observed.Step, err error) report {
	v.Reached, v.err = step, err
	return v
}

// noted is the report with a problem that does not end the reconcile.
func (v report) noted(err error) report {
	if p, isProblem := problem.As(err); isProblem {
		v.Problems = append(v.Problems, p.Problem)
	}
	return v
}

// with is the report with what was seen of the VirtualMachine.
func (v report) with(found found, instance provision.Instance) report {
	v.Looked, v.VM, v.VMI, v.DataVolumes = found.Answered, found.VM, instance.VMI, instance.DataVolumes
	v.Copies, v.unseen = found.Copies, found.VM != nil && !found.FromCache
	return v
}

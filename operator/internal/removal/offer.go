package removal

import (
	"context"
	"errors"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	exportv1 "kubevirt.io/api/export/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/problem"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

// OfferName is the name of all that a move makes besides the VirtualMachine and its disks: at the
// source the VirtualMachineExport and the Secret with its token, which goes with it; at the target
// what the disks are fetched with.
func OfferName(move string) string { return "move-" + move }

// DeleteOffer deletes the export by which a move offered the disks of the Machine, if it is there. One
// that may not be seen any more ends by itself, after the time that was set when it was made.
func (j Job) DeleteOffer(ctx context.Context, move string) error {
	export := &exportv1.VirtualMachineExport{}
	err := j.Remote.Server.Get(ctx, client.ObjectKey{Namespace: j.Ledger.Namespace, Name: OfferName(move)}, export)
	switch {
	case apierrors.IsNotFound(err), apierrors.IsForbidden(err), errors.Is(err, clientmgr.ErrKindNotServed):
		return nil
	case err != nil:
		at := problem.At{Condition: ready, Doing: "reading VirtualMachineExport " + OfferName(move)}
		return problem.Remote(err, j.Remote.Config, at)
	case !desired.IsOurs(export.Labels, j.MachineUID, j.SupervisorUID) || !export.DeletionTimestamp.IsZero():
		return nil
	}
	uid := export.UID
	err = client.IgnoreNotFound(j.Remote.Writer.Delete(ctx, export, client.Preconditions{UID: &uid}))
	return problem.Remote(err, j.Remote.Config,
		problem.At{Condition: ready, Doing: "deleting VirtualMachineExport " + export.Name})
}

package cli

import (
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	cdiv1beta1 "kubevirt.io/containerized-data-importer-api/pkg/apis/core/v1beta1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/clusterstatus/orphan"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/app"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/removal"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/side"
	"github.com/vitistack/kubevirt-multicluster/virtualmachine/desired"
)

const supervisorUID = "supervisor-uid"

// orphaned is a VirtualMachine with one disk, made for a Machine that is gone.
func orphaned(supervisor string) (*kubevirtv1.VirtualMachine, *cdiv1beta1.DataVolume) {
	lost := &vitistackv1alpha1.Machine{ObjectMeta: metav1.ObjectMeta{Namespace: "team", Name: "lost", UID: "lost-uid"}}
	labels := desired.Labels(lost, desired.Options{SupervisorUID: supervisor})
	vm := &kubevirtv1.VirtualMachine{ObjectMeta: metav1.ObjectMeta{
		Namespace: "team", Name: "vm-lost", UID: "vm-uid", Labels: labels,
	}}
	disk := &cdiv1beta1.DataVolume{ObjectMeta: metav1.ObjectMeta{
		Namespace: "team", Name: "vm-lost-root", UID: "disk-uid", Labels: labels,
	}}
	vm.Spec.Template = &kubevirtv1.VirtualMachineInstanceTemplateSpec{}
	vm.Spec.Template.Spec.Volumes = []kubevirtv1.Volume{{Name: "root", VolumeSource: kubevirtv1.VolumeSource{
		DataVolume: &kubevirtv1.DataVolumeSource{Name: disk.Name},
	}}}
	return vm, disk
}

// paying is a session with one cluster, east, and who pays there.
func paying(t *testing.T, remote client.Client) (*session, *removal.Payer) {
	t.Helper()
	supervisor := fakeCluster(t)
	clusters := clientmgr.NewMockClientManager()
	clusters.SupervisorClient = supervisor
	clusters.AddMockedClient("east", remote)
	options := app.Options{}
	options.Machine.Desired.SupervisorUID = supervisorUID
	book := removal.Book{Writer: supervisor, Server: supervisor, Namespace: "default"}
	payer := removal.NewPayer(book, clusters, side.SupervisorServer{Reader: supervisor}, options.Machine.Desired)
	return &session{remotes: clusters, options: options}, payer
}

// TestOrphanGoesWithItsDisks: the disks are known when the deletion begins, and in the book of
// debts alone. A payment that is tried again without the book leaves them behind.
func TestOrphanGoesWithItsDisks(t *testing.T) {
	vm, disk := orphaned(supervisorUID)
	remote := fakeCluster(t, vm, disk)
	s, payer := paying(t, remote)
	if err := s.pay(t.Context(), payer, orphan.VM{Config: "east", Object: *vm}); err != nil {
		t.Fatal(err)
	}
	for _, object := range []client.Object{vm, disk} {
		if err := remote.Get(t.Context(), client.ObjectKeyFromObject(object), object); !apierrors.IsNotFound(err) {
			t.Errorf("%T %s is left behind: %v", object, object.GetName(), err)
		}
	}
	if debts, err := payer.Book.Debts(t.Context()); err != nil || len(debts) > 0 {
		t.Errorf("what is paid is still owed: %v, %v", debts, err)
	}
}

// TestOrphanOfOthersIsNotSaidToBeDeleted: the list of orphans is older than the deletion. Nothing
// is owed for what another supervisor has taken over meanwhile, which is no success.
func TestOrphanOfOthersIsNotSaidToBeDeleted(t *testing.T) {
	vm, disk := orphaned("another-supervisor")
	remote := fakeCluster(t, vm, disk)
	s, payer := paying(t, remote)
	err := s.pay(t.Context(), payer, orphan.VM{Config: "east", Object: *vm})
	if err == nil || !strings.Contains(err.Error(), "left alone") {
		t.Errorf("want an error that it was left alone, got %v", err)
	}
	if err := remote.Get(t.Context(), client.ObjectKeyFromObject(vm), vm); err != nil {
		t.Errorf("the VirtualMachine of another supervisor: %v", err)
	}
}

// TestOrphanOverwritesNoDebt: the book has room for one debt of a Machine. What a silent cluster
// owes must not be forgotten for a copy elsewhere.
func TestOrphanOverwritesNoDebt(t *testing.T) {
	vm, disk := orphaned(supervisorUID)
	s, payer := paying(t, fakeCluster(t, vm, disk))
	owed := removal.Debt{Machine: "lost", UID: types.UID("lost-uid"), Ledger: vitistackv1alpha1.Ledger{
		Config: "west", ClusterUID: "west-uid", Namespace: "team", VMName: "vm-lost", VMUID: "first-uid", Nonce: "nonce",
	}}
	if err := payer.Book.Owe(t.Context(), owed); err != nil {
		t.Fatal(err)
	}
	err := s.pay(t.Context(), payer, orphan.VM{Config: "east", Object: *vm})
	if err == nil || !strings.Contains(err.Error(), "owed to west") {
		t.Errorf("want an error that names the debt, got %v", err)
	}
	debts, err := payer.Book.Debts(t.Context())
	if err != nil || len(debts) != 1 || debts[0].Ledger != owed.Ledger {
		t.Errorf("the debt was %+v, is %+v: %v", owed, debts, err)
	}
}

package machine_test

import (
	"context"
	"fmt"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
)

func ExampleNewMachineReconciler() {
	scheme, err := sharedScheme()
	if err != nil {
		fmt.Println(err)
		return
	}
	remotes := clientmgr.NewMockClientManager()
	remotes.AddMockedClient("cluster-east",
		fake.NewClientBuilder().WithScheme(scheme).WithObjects(defaultStorageClass()).Build())
	web := newMachine(in("cluster-east"))
	supervisor := fake.NewClientBuilder().WithScheme(scheme).WithObjects(web).WithStatusSubresource(web).Build()

	reconciler := machine.NewMachineReconciler(supervisor, scheme, remotes)
	for range 2 { // the first pass creates the virtual machine; what it wrote causes the second, which keeps the books
		if _, err := reconciler.Reconcile(context.Background(),
			reconcile.Request{NamespacedName: client.ObjectKeyFromObject(web)}); err != nil {
			fmt.Println(err)
			return
		}
	}
	placed := &vitistackv1alpha1.Machine{}
	if err := supervisor.Get(context.Background(), client.ObjectKeyFromObject(web), placed); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(placed.Status.KubevirtConfigRef.Name, placed.Status.VMName, placed.Status.Phase)
	// Output: cluster-east vm-web Creating
}

package wake

import (
	"fmt"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
)

// TestClustersWakeTheirOwn counts how many Machines all clusters wake that change once each: as many
// as there are, and not each Machine for each cluster. Those without a place are woken apart.
func TestClustersWakeTheirOwn(t *testing.T) {
	const clusters, each, unplaced = 5, 4, 3
	scheme := runtime.NewScheme()
	if err := vitistackv1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	var all []client.Object
	add := func(name string, annotations map[string]string) {
		machine := &vitistackv1alpha1.Machine{}
		machine.Namespace, machine.Name, machine.Annotations = "shop", name, annotations
		all = append(all, machine)
	}
	config := func(i int) string { return fmt.Sprintf("cluster-%d", i) }
	for i := range clusters * each {
		ledger := vitistackv1alpha1.Ledger{Config: config(i % clusters), ClusterUID: "u", Namespace: "shop",
			VMName: "vm", Nonce: "n"}
		add(fmt.Sprintf("m%d", i), map[string]string{vitistackv1alpha1.AnnotationPlacement: ledger.String()})
	}
	for i := range unplaced {
		add(fmt.Sprintf("unplaced%d", i), nil)
	}
	machines := Machines{Cache: fake.NewClientBuilder().WithScheme(scheme).WithObjects(all...).
		WithIndex(&vitistackv1alpha1.Machine{}, clientmgr.IndexConfig, clientmgr.ByConfig).Build()}
	woken := map[string]int{}
	for i := range clusters {
		for _, request := range machines.OfConfig(t.Context(), config(i)) {
			woken[request.Name]++
		}
	}
	if len(woken) != clusters*each {
		t.Errorf("%d Machines are woken, want %d", len(woken), clusters*each)
	}
	for name, times := range woken {
		if times != 1 {
			t.Errorf("%s is woken by %d clusters", name, times)
		}
	}
	if got := len(machines.Unplaced(t.Context(), config(0))); got != unplaced {
		t.Errorf("%d Machines wait for a place, want %d", got, unplaced)
	}
}

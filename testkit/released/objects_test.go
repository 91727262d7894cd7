package released_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/released"
)

// TestObjects holds that the files are what README.md says: each Machine is ready, and its record
// names a VirtualMachine that is there.
func TestObjects(t *testing.T) {
	supervisor, remote := released.Objects(t)
	vms := map[string]string{}
	for _, object := range remote {
		if vm, is := object.(*kubevirtv1.VirtualMachine); is {
			vms[string(vm.UID)] = vm.Namespace + "/" + vm.Name
		}
	}
	machines := 0
	for _, object := range supervisor {
		machine, is := object.(*vitistackv1alpha1.Machine)
		if !is {
			continue
		}
		machines++
		name := machine.Namespace + "/" + machine.Name
		if !meta.IsStatusConditionTrue(machine.GetConditions(), vitistackv1alpha1.ConditionReady) {
			t.Errorf("Machine %s is not ready", name)
		}
		var ledger vitistackv1alpha1.Ledger
		if err := json.Unmarshal([]byte(machine.Annotations[vitistackv1alpha1.AnnotationPlacement]), &ledger); err != nil {
			t.Errorf("Machine %s has no record that can be read: %v", name, err)
			continue
		}
		if want := ledger.Namespace + "/" + ledger.VMName; vms[ledger.VMUID] != want {
			t.Errorf("the record of Machine %s names %s with the UID of %q", name, want, vms[ledger.VMUID])
		}
		delete(vms, ledger.VMUID)
	}
	if len(vms) > 0 || machines == 0 {
		t.Errorf("%d Machines, and virtual machines without one: %v", machines, slices.Collect(maps.Values(vms)))
	}
}

// TestKinds holds that nothing was lost when the objects were read.
func TestKinds(t *testing.T) {
	supervisor, remote := released.Objects(t)
	for name, tc := range map[string]struct {
		reason  string
		objects []client.Object
		want    map[string]int
	}{
		"supervisor": {
			reason:  "the supervisor has the wishes and what the operator wrote about them",
			objects: supervisor,
			want: map[string]int{
				"KubevirtConfig": 1, "Machine": 17, "MachineClass": 1, "Namespace": 6,
				"NetworkConfiguration": 19, "NetworkNamespace": 5, "Secret": 1,
			},
		},
		"remote": {
			reason:  "the remote cluster has what the operator made and what KubeVirt made of it",
			objects: remote,
			want: map[string]int{
				"DataVolume": 16, "Namespace": 6, "NetworkAttachmentDefinition": 5,
				"PersistentVolumeClaim": 16, "Secret": 1, "StorageClass": 1, "VirtualMachine": 17,
				"VirtualMachineClusterInstancetype": 1, "VirtualMachineInstance": 16,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := map[string]int{}
			uids := map[types.UID]bool{}
			for _, object := range tc.objects {
				got[object.GetObjectKind().GroupVersionKind().Kind]++
				if uids[object.GetUID()] || object.GetUID() == "" {
					t.Errorf("%T %s has the UID %q, which is empty or another one's", object, object.GetName(), object.GetUID())
				}
				uids[object.GetUID()] = true
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tc.reason, diff)
			}
		})
	}
}

// TestSecrets holds that no kubeconfig got into the files: clusters that are gone have no secrets,
// but a habit of storing kubeconfigs would reach others one day.
func TestSecrets(t *testing.T) {
	supervisor, remote := released.Objects(t)
	for _, object := range append(supervisor, remote...) {
		secret, is := object.(*corev1.Secret)
		if !is {
			continue
		}
		for key, value := range secret.Data {
			if !strings.HasPrefix(string(value), "#cloud-config\n") {
				t.Errorf("Secret %s: %s is no cloud-config", secret.Name, key)
			}
		}
	}
}

// TestFresh holds that a test which changes an object does not change another test's.
func TestFresh(t *testing.T) {
	first, _ := released.Objects(t)
	first[0].SetName("changed")
	if second, _ := released.Objects(t); second[0].GetName() == "changed" {
		t.Error("two calls returned the same object")
	}
}

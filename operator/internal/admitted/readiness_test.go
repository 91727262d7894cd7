package admitted

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/clientmgr"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/machine"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/readiness"
)

// compared is how many Machines the two answers are compared for.
const compared = 150

// aboutAdmission are the checks that foresee what the API server says to a creation.
var aboutAdmission = []string{
	readiness.CheckRights, readiness.CheckDefinitions, readiness.CheckDryRun, readiness.CheckInstancetype,
	readiness.CheckNamespace, readiness.CheckStorage, readiness.CheckModes, readiness.CheckDisks, readiness.CheckName,
}

// TestReadinessAgrees: for Machines that KubeVirt's webhooks admit nothing says no that is about
// admission, and for those that they refuse the dry run says it before. Of the catalogue the
// webhooks ask nothing: they admit what names a missing entry, and that could never start.
func TestReadinessAgrees(t *testing.T) {
	counts := map[string]int{}
	for seed, made := 10_000, 0; made < compared; seed++ {
		m := machines.Example(seed)
		m.Name = fmt.Sprintf("%s.%d", m.Name, seed)
		if !isValid(t, m) {
			continue
		}
		made++
		report, err := readinessOf(t.Context(), m.DeepCopy())
		v, failed := judge(t.Context(), m)
		switch {
		case failed != nil:
			t.Errorf("%s: %v", m.Name, failed)
		case v.kind == admitted && err != nil:
			t.Errorf("%s is admitted, and what it needs is not known: %v", m.Name, err)
		case v.kind == admitted:
			for _, check := range report.Checks {
				want := readiness.OK
				if check.Name == readiness.CheckInstancetype && namesMissing(m) {
					want = readiness.No
					counts["names what is missing"]++
				}
				if check.Verdict != want && slices.Contains(aboutAdmission, check.Name) {
					t.Errorf("%s is admitted, and readiness says %+v", m.Name, check)
				}
			}
			counts[admitted]++
		case v.kind == vitistackv1alpha1.ReasonRejected:
			check, _ := report.Check(readiness.CheckDryRun)
			if err != nil || check.Verdict != readiness.No {
				t.Errorf("%s is refused (%s), and readiness says %+v, %v", m.Name, v.message, check, err)
			}
			counts["refused"]++
		default:
			counts["other"]++
		}
	}
	t.Log(counts)
	if counts[admitted] < compared/5 {
		t.Errorf("too few Machines are admitted for this to prove anything: %v", counts)
	}
}

// namesMissing reports whether a Machine names an instance type or a preference that the cluster has
// not.
func namesMissing(m *vitistackv1alpha1.Machine) bool {
	return m.Annotations[vitistackv1alpha1.AnnotationInstancetype] == missing ||
		m.Annotations[vitistackv1alpha1.AnnotationPreference] == missing
}

// readinessOf asks whether a Machine can run in the cluster.
func readinessOf(ctx context.Context, m *vitistackv1alpha1.Machine) (readiness.Report, error) {
	m.ResourceVersion, m.ManagedFields = "", nil
	supervisor := fake.NewClientBuilder().WithScheme(server.Scheme()).WithObjects(m).WithObjects(surroundings()...).
		WithIndex(m, clientmgr.IndexConfig, clientmgr.ByConfig).Build()
	manager := clientmgr.NewMockClientManager()
	manager.SupervisorClient = supervisor
	manager.AddMockedClient(east, server)
	reconciler := machine.NewMachineReconciler(supervisor, server.Scheme(), manager, settings(),
		machine.WithPatience(patience))
	fitting, err := reconciler.Fits(ctx, client.ObjectKeyFromObject(m))
	if err != nil {
		return readiness.Report{}, err
	}
	if len(fitting.Reports) != 1 {
		return readiness.Report{}, errors.New("not one report")
	}
	return fitting.Reports[0], nil
}

// TestReadinessOfCatalogue has a story: KubeVirt admits a virtual machine whose instance type is not
// there, so that a dry run alone would say yes.
func TestReadinessOfCatalogue(t *testing.T) {
	for name, want := range map[string]readiness.Verdict{"small": readiness.OK, "no-such": readiness.No} {
		m := &vitistackv1alpha1.Machine{}
		m.Namespace, m.Name, m.UID = namespace, "catalogue-"+name, "1b4e28ba-2fa1-41d2-883f-0016d3cca427"
		m.Annotations = map[string]string{vitistackv1alpha1.AnnotationInstancetype: name}
		m.Spec.Network.NetworkNamespaceName = "pod"
		report, err := readinessOf(t.Context(), m)
		if err != nil {
			t.Fatal(err)
		}
		if report.Verdict != want {
			t.Errorf("%s: %+v", name, report)
		}
		if check, _ := report.First(); want == readiness.No && check.Reason != readiness.ReasonInstancetype {
			t.Errorf("%s: %+v", name, check)
		}
	}
	vms := &kubevirtv1.VirtualMachineList{}
	err := server.List(t.Context(), vms)
	kept := func(vm kubevirtv1.VirtualMachine) bool { return strings.Contains(vm.Name, "catalogue") }
	if err != nil || slices.ContainsFunc(vms.Items, kept) {
		t.Errorf("a dry run was kept (%v)", err)
	}
}

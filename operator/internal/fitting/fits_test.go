package fitting

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	storagev1 "k8s.io/api/storage/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/kubevirt-multicluster/api/rbac"
	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/faults"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
	"github.com/vitistack/kubevirt-multicluster/testkit/kubevirt/agent"
)

// What the clusters are like: each but one lacks something else.
const (
	roomy     = iota // it has everything
	classless        // it has no storage class
	counted          // a quota allows no virtual machine
	crowded          // its node is full
	curtained        // the operator may read no more than it must
	silent           // it does not answer
	clusters
)

const patience = 4 * time.Minute

// nameOf is the name of a cluster.
func nameOf(cluster int) string { return world.fleet.Remotes[cluster].Name }

// differ makes the clusters what they are.
func differ(ctx context.Context) error {
	for i := range world.remote {
		if i == curtained {
			continue
		}
		if err := create(ctx, world.remote[i], rbac.Readiness); err != nil {
			return err
		}
	}
	class := &storagev1.StorageClass{ObjectMeta: metav1.ObjectMeta{Name: agent.StorageClass}}
	if err := world.remote[classless].Delete(ctx, class); err != nil {
		return err
	}
	quota := &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "none"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"count/virtualmachines.kubevirt.io": resource.MustParse("0")}},
	}
	if err := world.remote[counted].Create(ctx, quota); err != nil {
		return err
	}
	// The controller that counts is not part of an API server.
	quota.Status = corev1.ResourceQuotaStatus{
		Hard: quota.Spec.Hard, Used: corev1.ResourceList{"count/virtualmachines.kubevirt.io": resource.MustParse("0")},
	}
	if err := world.remote[counted].Status().Update(ctx, quota); err != nil {
		return err
	}
	return world.remote[crowded].Create(ctx, &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "hog"},
		Spec: corev1.PodSpec{NodeName: agent.NodeName(nameOf(crowded)), Containers: []corev1.Container{{
			Name: "hog", Image: "hog", Resources: corev1.ResourceRequirements{
				Requests: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("16383Gi")},
			},
		}}},
	})
}

// create creates the objects of a stream.
func create(ctx context.Context, c client.Client, stream []byte) error {
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(stream), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(&object.Object)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if len(object.Object) == 0 {
			continue
		}
		if err := c.Create(ctx, object); err != nil {
			return err
		}
	}
}

// machineFile is a Machine that does not exist.
const machineFile = "apiVersion: vitistack.io/v1alpha1\nkind: Machine\nmetadata: {name: new}\nspec: {instanceType: large}\n"

// clusterAnswer is what -o json says of one cluster.
type clusterAnswer struct {
	Cluster, Fits string
	Here          bool
	Score         int
	Checks        []struct{ Name, Verdict, Reason, Message, Do string }
}

// fitsOf asks in which clusters a Machine fits.
func fitsOf(t *testing.T, code int, typed string, args ...string) []clusterAnswer {
	t.Helper()
	a := ask(t, typed, append([]string{"fits", "-o", "json"}, args...)...)
	var parsed struct{ Clusters []clusterAnswer }
	if err := json.Unmarshal([]byte(a.out), &parsed); err != nil || a.code != code {
		t.Fatalf("%v: want code %d: %s", err, code, a)
	}
	return parsed.Clusters
}

// first is the first check of a verdict, "name reason".
func (c clusterAnswer) first(verdict string) string {
	for _, check := range c.Checks {
		if check.Verdict == verdict {
			return check.Name + " " + check.Reason
		}
	}
	return ""
}

func (c clusterAnswer) check(name string) string {
	for _, check := range c.Checks {
		if check.Name == name {
			return check.Verdict + " " + check.Reason + ": " + check.Message + " → " + check.Do
		}
	}
	return ""
}

// TestFits asks clusters that differ.
func TestFits(t *testing.T) {
	if err := world.fleet.Remotes[silent].SetFault(faults.Fault{Kind: faults.Blackhole}); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	order := ""
	before := time.Now()
	all := fitsOf(t, 0, machineFile, "-f", "-")
	for _, each := range all {
		got[each.Cluster] = strings.TrimSpace(each.Fits + " " + each.first(each.Fits))
		if each.Fits == "ok" {
			got[each.Cluster] = each.Fits
		}
		order += each.Fits + " "
	}
	want := map[string]string{
		nameOf(roomy):     "ok",
		nameOf(classless): "no storage StorageClassMissing",
		nameOf(counted):   "no quota QuotaExceeded",
		nameOf(crowded):   "no room NoRoom",
		nameOf(curtained): "unknown disk-modes Forbidden",
		nameOf(silent):    "unknown connection NotConnected",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s\n%+v", diff, all)
	}
	if all[0].Cluster != nameOf(roomy) || all[0].Score < 80 || order != "ok unknown unknown no no no " {
		t.Errorf("the order is %q, the best is %s with %d", order, all[0].Cluster, all[0].Score)
	}
	for _, each := range all {
		dry := each.check("dry-run")
		switch each.Cluster {
		case nameOf(roomy), nameOf(curtained):
			if !strings.HasPrefix(dry, "ok ") {
				t.Errorf("%s: the API server was asked and said %s", each.Cluster, dry)
			}
		case nameOf(counted): // which only an API server can have said
			if !strings.HasPrefix(dry, "no Refused: ") || !strings.Contains(dry, "exceeded quota: none") {
				t.Errorf("%s: the API server said %s", each.Cluster, dry)
			}
		}
		if each.Cluster == nameOf(curtained) {
			for check, right := range map[string]string{
				"nodes": "list nodes and pods", "quota": "list resourcequotas", "limits": "list limitranges",
				"disk-modes": "list storageprofiles.cdi.kubevirt.io",
			} {
				if is := each.check(check); !strings.Contains(is, "may not "+right+" → kubectl apply -k api/rbac/readiness") {
					t.Errorf("%s: %s", check, is)
				}
			}
		}
	}
	for i, remote := range world.remote {
		if vms := (&kubevirtv1.VirtualMachineList{}); remote.List(t.Context(), vms) != nil || len(vms.Items) > 0 {
			t.Errorf("a dry run left %d virtual machines in %s", len(vms.Items), nameOf(i))
		}
	}
	writesAreDry(t, before)

	ask(t, machineFile, "fits", "-f", "-").says(t, 0, "CLUSTER", "WHY NOT", nameOf(roomy)+"    yes", "StorageClassMissing: disk ",
		"NoRoom: it takes 4096 MiB")
	ask(t, machineFile, "fits", "-f", "-", "--checks").says(t, 0, "✓ storage: storage class "+agent.StorageClass, "✗ quota: QuotaExceeded",
		"? nodes: Forbidden", "→ kubectl apply -k api/rbac/readiness")
	ask(t, machineFile, "fits", "-f", "-", "-o", "yaml").says(t, 0, "cluster: "+nameOf(roomy), "fits: ok")
	ask(t, machineFile, "why", "-f", "-", "--plugin-dir", plugins(t)).says(t, 1, "STRATEGY", "WHY NOT", "StorageClassMissing")
	replayed(t)
	ask(t, "", "fits", "nobody").says(t, 2, "nobody")
	ask(t, "", "fits").says(t, 2, "want either NAME or -f FILE")
	ask(t, machineFile, "fits", "-f", "-", "-o", "xml").says(t, 2, "want json or yaml")
	ask(t, strings.Replace(machineFile, "large}", "large, disks: [{name: a, sizeGB: 0}]}", 1), "fits", "-f", "-").says(t, 2,
		"cannot become a virtual machine")

	nowhere := strings.Replace(machineFile, "{instanceType: large}", "{instanceType: large, os: {architecture: arm64}}", 1)
	fitsOf(t, 3, nowhere, "-f", "-")
}

// replayed records a question in which a strategy needs readiness, and puts it to that strategy
// without a cluster.
func replayed(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	placement, question := filepath.Join(dir, "placement.yaml"), filepath.Join(dir, "question.json")
	if err := os.WriteFile(placement, []byte("strategies: [{name: fit}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	recorded := ask(t, machineFile, "why", "-f", "-", "-o", "json", "--plugin-dir", plugins(t), "--placement-config", placement)
	recorded.says(t, 1, `"ready"`, "READY_VERDICT_YES", "READY_VERDICT_UNKNOWN", `"StorageClassMissing"`, `"fits"`)
	if err := os.WriteFile(question, []byte(recorded.out), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.CommandContext(t.Context(), filepath.Join(world.dir, "operator"), "replay", question,
		"--plugin", filepath.Join(plugins(t), "placement-fit")).CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"config": "`+nameOf(roomy)+`"`) || !strings.Contains(string(out), "ready, score ") {
		t.Errorf("%v: %s", err, out)
	}
}

// writesAreDry fails where something was written into a remote cluster since then.
func writesAreDry(t *testing.T, since time.Time) {
	t.Helper()
	dry := 0
	for _, remote := range world.fleet.Remotes {
		calls, err := audit.Read(remote.ControlPlane.AuditLog(), audit.Filter{
			User: fleet.OperatorUser, Since: since, Writes: true, But: []string{"selfsubjectaccessreviews"},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, call := range calls {
			if !strings.Contains(call.URI, "dryRun=All") {
				t.Errorf("it wrote in %s: %s", remote.Name, call)
			}
			dry++
		}
	}
	if dry == 0 {
		t.Error("no API server was asked for a dry run: nothing was looked at")
	}
}

// asked counts the questions of readiness that the operator put to a cluster since then.
func asked(t *testing.T, cluster int, since time.Time) map[string]int {
	t.Helper()
	calls, err := audit.Read(world.fleet.Remotes[cluster].ControlPlane.AuditLog(),
		audit.Filter{User: fleet.OperatorUser, Since: since})
	if err != nil {
		t.Fatal(err)
	}
	counts := map[string]int{}
	for _, call := range calls {
		switch call.Resource {
		case "nodes", "pods", "resourcequotas", "limitranges", "storageprofiles":
			counts[call.Resource]++
		case "virtualmachines":
			if strings.Contains(call.URI, "dryRun=All") {
				counts["dry runs"]++
			}
		}
	}
	return counts
}

// wants makes a Machine.
func wants(t *testing.T, name string, annotations map[string]string) *vitistackv1alpha1.Machine {
	t.Helper()
	m := &vitistackv1alpha1.Machine{
		ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: name, Annotations: annotations},
		Spec:       vitistackv1alpha1.MachineSpec{InstanceType: "large"},
	}
	if err := world.fleet.Supervisor.Client().Create(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	return m
}

// remove deletes Machines, and waits until they are gone.
func remove(t *testing.T, machines ...*vitistackv1alpha1.Machine) {
	t.Helper()
	for _, m := range machines {
		if err := world.fleet.Supervisor.Client().Delete(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range machines {
		eventually.Eventually(t, patience, m.Name+" is gone", func(ctx context.Context) error {
			err := world.fleet.Supervisor.Client().Get(ctx, client.ObjectKeyFromObject(m), m)
			if err == nil {
				return errors.New("it is there")
			}
			return client.IgnoreNotFound(err)
		})
	}
}

// runs waits until a Machine runs, and returns where.
func runs(t *testing.T, m *vitistackv1alpha1.Machine) string {
	t.Helper()
	eventually.Eventually(t, patience, m.Name+" runs", func(ctx context.Context) error {
		if err := world.fleet.Supervisor.Client().Get(ctx, client.ObjectKeyFromObject(m), m); err != nil {
			return err
		}
		if m.Status.Phase != vitistackv1alpha1.MachinePhaseRunning {
			return fmt.Errorf("it is %s: %s", m.Status.Phase, m.Status.Message)
		}
		return nil
	})
	ledger, err := vitistackv1alpha1.LedgerOf(m)
	if err != nil {
		t.Fatal(err)
	}
	return ledger.Config
}

// TestExisting asks about a Machine that runs, and sees that an operator whose chain does not ask
// for readiness asks no cluster about it, whatever becomes of Machines.
func TestExisting(t *testing.T) {
	thaw(t)
	began := time.Now()
	startOperator(t)
	m := wants(t, "here", map[string]string{vitistackv1alpha1.AnnotationKubevirtConfig: nameOf(curtained)})
	runs(t, m)
	for i := range world.remote {
		if counts := asked(t, i, began); len(counts) > 0 {
			t.Errorf("%s was asked though nobody wanted to know: %v", nameOf(i), counts)
		}
	}
	for _, each := range fitsOf(t, 0, "", "here") {
		switch each.Cluster {
		case nameOf(curtained):
			if each.Fits != "ok" || !each.Here {
				t.Errorf("where it is: %+v", each)
			}
		case nameOf(roomy):
			if each.Fits != "ok" || each.Here {
				t.Errorf("where it could be: %+v", each)
			}
		case nameOf(counted):
			if each.Fits != "no" {
				t.Errorf("where it could not be: %+v", each)
			}
		}
	}
	ask(t, "", "fits", "here").says(t, 0, "yes, is here")
	remove(t, m)
}

// thaw lets the silent cluster answer again.
func thaw(t *testing.T) {
	t.Helper()
	if err := world.fleet.Remotes[silent].SetFault(faults.Fault{Kind: faults.Pass}); err != nil {
		t.Fatal(err)
	}
}

// TestStrategy places Machines by the strategy fit, many at once: each goes to the cluster that
// fits, and what concerns a cluster is not asked for each of them.
//
// A Machine that was there before the operator waits for every cluster, so that the operator runs
// and has placed one before a cluster falls silent.
func TestStrategy(t *testing.T) {
	thaw(t)
	placement := filepath.Join(t.TempDir(), "placement.yaml")
	if err := os.WriteFile(placement, []byte("strategies: [{name: annotation}, {name: fit}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	startOperator(t, "--placement-config="+placement)
	machines := []*vitistackv1alpha1.Machine{
		wants(t, "first", map[string]string{vitistackv1alpha1.AnnotationKubevirtConfig: nameOf(roomy)}),
	}
	runs(t, machines[0])
	if err := world.fleet.Remotes[silent].SetFault(faults.Fault{Kind: faults.Blackhole}); err != nil {
		t.Fatal(err)
	}
	defer thaw(t)
	began := time.Now()
	const count = 12
	for i := range count {
		machines = append(machines, wants(t, fmt.Sprintf("fit-%d", i), nil))
	}
	for _, m := range machines {
		if where := runs(t, m); where != nameOf(roomy) {
			t.Errorf("%s went to %s", m.Name, where)
		}
	}
	windows := int(time.Since(began)/(30*time.Second)) + 2
	counts := asked(t, roomy, began)
	for _, each := range []string{"nodes", "pods", "resourcequotas", "limitranges", "storageprofiles"} {
		if n := counts[each]; n == 0 || n > windows {
			t.Errorf("%s were listed %d times in %s for %d Machines", each, n, time.Since(began), count)
		}
	}
	if counts["dry runs"] < count {
		t.Errorf("%d dry runs for %d Machines", counts["dry runs"], count)
	}
	rest := time.Now()
	ask(t, "", "where", "fit-0").says(t, 0, nameOf(roomy))
	for i := range world.remote {
		if later := asked(t, i, rest); len(later) > 0 {
			t.Errorf("%s is asked at rest: %v", nameOf(i), later)
		}
	}
	remove(t, machines...)
}

package scenarios

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/operator/internal/shards"
	"github.com/vitistack/kubevirt-multicluster/testkit/controlplane"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// shardCount is chosen so that of the three clusters one is of shard 1, two are of shard 0, and none of 2.
const shardCount = 3

// leaseName is the default of --leader-election-id.
const leaseName = "09393f52.vitistack.io"

// replica is one of several operators that share the clusters.
type replica struct {
	*program
	metrics string
}

// startReplica starts one more.
func startReplica(t *testing.T) *replica {
	t.Helper()
	port, err := controlplane.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	r := &replica{metrics: fmt.Sprintf("127.0.0.1:%d", port)}
	r.program = startWith(t, []string{"--leader-elect", "--leader-election-namespace=" + leaseNamespace,
		fmt.Sprintf("--shards=%d", shardCount), "--metrics-bind-address=" + r.metrics},
		"DEFAULT_KUBEVIRT_CONFIG=cluster-north")
	return r
}

var wonShard = regexp.MustCompile(`Looking after the clusters of one shard.*"shard"[:=] ?(\d+)`)

// shard is the one that it looks after by its log, -1 for none.
func (r *replica) shard(t *testing.T) int {
	t.Helper()
	won := wonShard.FindStringSubmatch(r.read(t))
	if won == nil {
		return -1
	}
	return int(won[1][0] - '0')
}

// measures are the clusters that it has metrics of.
func (r *replica) measures(t *testing.T) []string {
	t.Helper()
	text := r.text(t)
	var names []string
	for _, remote := range world.fleet.Remotes {
		connected := fmt.Sprintf(`clientmgr_cluster_phase{kubevirt_config=%q,phase="Connected"} 1`, remote.Name)
		if strings.Contains(text, connected) {
			names = append(names, remote.Name)
		}
	}
	return names
}

var machinesCounted = regexp.MustCompile(`(?m)^operator_machines\{.*\} (\d+)$`)

// counts are the Machines that it counts.
func (r *replica) counts(t *testing.T) (sum int) {
	t.Helper()
	for _, series := range machinesCounted.FindAllStringSubmatch(r.text(t), -1) {
		n, err := strconv.Atoi(series[1])
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}

var shardHeld = regexp.MustCompile(`(?m)^operator_shard_held\{lease="` + leaseName + `",shard="(\d+)"\} 1$`)

// held is the shard that it holds by its metrics, -1 for none.
func (r *replica) held(t *testing.T) int {
	t.Helper()
	text := r.text(t)
	if all := fmt.Sprintf("operator_shards{lease=%q} %d\n", leaseName, shardCount); !strings.Contains(text, all) {
		t.Errorf("its metrics do not say how many shards there are")
	}
	held := shardHeld.FindStringSubmatch(text)
	if held == nil {
		return -1
	}
	return int(held[1][0] - '0')
}

// text are its metrics.
func (r *replica) text(t *testing.T) string {
	t.Helper()
	answer, err := http.Get("http://" + r.metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// mayHoldShards gives the operator the leases of all shards, as the chart does.
func mayHoldShards(t *testing.T) {
	t.Helper()
	var names []string
	for shard := range shardCount {
		names = append(names, shards.Name(leaseName, shard))
	}
	called := metav1.ObjectMeta{Namespace: leaseNamespace, Name: "shards"}
	role := &rbacv1.Role{ObjectMeta: called, Rules: []rbacv1.PolicyRule{{APIGroups: []string{"coordination.k8s.io"},
		Resources: []string{"leases"}, ResourceNames: names, Verbs: []string{"get", "update"}}}}
	binding := &rbacv1.RoleBinding{ObjectMeta: called,
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "shards"},
		Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: leaseNamespace, Name: "kubevirt-operator"}}}
	create(t, role)
	create(t, binding)
	ctx := context.WithoutCancel(t.Context())
	t.Cleanup(func() {
		for _, object := range []client.Object{binding, role} {
			if err := supervisor().Delete(ctx, object); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestSharedClusters: three replicas share three clusters out, each connected to its own alone, and a
// fourth one stands by. A Machine that names no cluster is placed by one and made by another. One is
// killed: its clusters are taken over, while the Machines of the others notice nothing, and no Machine
// gets a second virtual machine.
func TestSharedClusters(t *testing.T) {
	ns := namespace(t, "shared-clusters")
	living := newCensus(t, ns)
	mayHoldShards(t)
	var replicas []*replica
	for range shardCount + 1 {
		replicas = append(replicas, startReplica(t))
	}
	holder := map[int]*replica{}
	eventually(t, patience, func() string {
		for _, r := range replicas {
			holder[r.shard(t)] = r
		}
		if len(holder) != shardCount+1 { // and the one that stands by
			return fmt.Sprintf("%d shards are held", len(holder)-1)
		}
		return ""
	})
	north, east := machine(ns, "north", "cluster-north"), machine(ns, "east", "cluster-east")
	unnamed := machine(ns, "unnamed", "")
	for _, m := range []*vitistackv1alpha1.Machine{north, east, unnamed} {
		create(t, m)
	}
	eventually(t, patience, func() string {
		return notRunning(t, north, "cluster-north") + notRunning(t, east, "cluster-east") +
			notRunning(t, unnamed, "cluster-north")
	})
	for shard, want := range map[int][]string{0: {"cluster-east", "cluster-west"}, 1: {"cluster-north"}, 2: nil, -1: nil} {
		eventually(t, patience, func() string {
			got := holder[shard].measures(t)
			slices.Sort(got)
			if !slices.Equal(got, want) {
				return fmt.Sprintf("the replica of shard %d is connected to %v, want %v", shard, got, want)
			}
			return ""
		})
	}
	for shard, r := range holder {
		if got := r.held(t); got != shard {
			t.Errorf("the replica of shard %d tells in its metrics that it holds %d", shard, got)
		}
	}
	for config, want := range map[string]int32{"cluster-north": 2, "cluster-east": 1, "cluster-west": 0} {
		eventually(t, patience, func() string { return countsNot(t, config, want) })
	}
	eventually(t, patience, func() string { return countedOtherwise(t, replicas) })

	holder[1].stop(t, syscall.SIGKILL)
	killed := time.Now()
	waiting, other := machine(ns, "waiting", "cluster-north"), machine(ns, "other", "cluster-west")
	create(t, waiting)
	create(t, other)
	eventually(t, patience, func() string { return notRunning(t, other, "cluster-west") })
	others := time.Since(killed)
	if m := read(t, waiting); m.Annotations[vitistackv1alpha1.AnnotationPlacement] != "" {
		t.Error("a Machine of a cluster that nobody serves was placed, so that the test shows nothing")
	}
	eventually(t, patience, func() string { return notRunning(t, waiting, "cluster-north") })
	t.Logf("a replica was killed: a Machine of another one ran after %s, one of its own after %s", others,
		time.Since(killed))
	if got := holder[-1].shard(t); got != 1 {
		t.Errorf("the replica that stood by has shard %d", got)
	}
	for _, m := range []*vitistackv1alpha1.Machine{unnamed, other} { // of the one that took over, and of another one
		remove(t, m)
		eventually(t, patience, func() string { return notGone(t, m) })
	}
	living.check(t, "unnamed", "other")
}

// TestSharesMayNotBeHeld: a replica that may not hold every lease says so and ends.
func TestSharesMayNotBeHeld(t *testing.T) {
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	refused := exec.CommandContext(ctx, world.binary, "--kubeconfig="+world.fleet.OperatorKubeconfig(), "--leader-elect",
		"--shards=2", "--leader-election-namespace="+leaseNamespace, "--health-probe-bind-address=0")
	if out, err := refused.CombinedOutput(); err == nil || !strings.Contains(string(out), leaseName+"-1") {
		t.Errorf("it said: %v\n%s", err, out)
	}
}

// countedOtherwise says how many Machines replicas count together, "" where that is as many as there are.
// Machines of other providers, which other tests leave, are counted by no replica.
func countedOtherwise(t *testing.T, replicas []*replica) string {
	t.Helper()
	all, counted := &vitistackv1alpha1.MachineList{}, 0
	if err := supervisor().List(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	all.Items = slices.DeleteFunc(all.Items, func(m vitistackv1alpha1.Machine) bool {
		return m.Spec.Provider != "" && m.Spec.Provider != vitistackv1alpha1.ProviderKubevirt
	})
	for _, r := range replicas {
		counted += r.counts(t)
	}
	if counted != len(all.Items) {
		return fmt.Sprintf("%d Machines are counted, there are %d", counted, len(all.Items))
	}
	return ""
}

// countsNot says how many Machines a KubevirtConfig's status has, "" where that is right.
func countsNot(t *testing.T, name string, want int32) string {
	t.Helper()
	config := &vitistackv1alpha1.KubevirtConfig{}
	key := client.ObjectKey{Namespace: fleet.ConfigsNamespace, Name: name}
	if err := supervisor().Get(t.Context(), key, config); err != nil {
		t.Fatal(err)
	}
	if config.Status.Machines == nil || *config.Status.Machines < want {
		return fmt.Sprintf("%s has %v Machines, want %d", name, config.Status.Machines, want)
	}
	return ""
}

package scenarios

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

const operatorUser = "system:serviceaccount:kubevirt-operator:kubevirt-operator"

// call is a request of the operator, as an API server's audit log has it.
type call struct {
	Verb        string
	User        struct{ Username string }
	ObjectRef   struct{ APIGroup, Resource, Subresource, Namespace, Name string }
	Stage       string
	Annotations map[string]string
}

// String is the call on one line.
func (c call) String() string {
	resource := c.ObjectRef.Resource
	if c.ObjectRef.Subresource != "" {
		resource += "/" + c.ObjectRef.Subresource
	}
	return c.Verb + " " + resource + " " + c.ObjectRef.Namespace + "/" + c.ObjectRef.Name
}

func (c call) isWrite() bool {
	return slices.Contains([]string{"create", "update", "patch", "delete"}, c.Verb)
}

// isShared: what is not for one Machine, or is not counted by the bound.
func (c call) isShared() bool {
	return slices.Contains([]string{"events", "leases", "namespaces", "network-attachment-definitions",
		"selfsubjectaccessreviews", "kubevirtconfigs"}, c.ObjectRef.Resource)
}

// TestCost counts what one Machine costs, from the API servers' own audit logs.
func TestCost(t *testing.T) {
	ns := namespace(t, "cost")
	startOperator(t)
	warm := machine(ns, "warm", "cluster-east")
	create(t, warm)
	eventually(t, patience, func() string { return notRunning(t, warm, "cluster-east") })

	one := machine(ns, "one", "cluster-east")
	create(t, one)
	eventually(t, patience, func() string { return notRunning(t, one, "cluster-east") })
	east, err := world.fleet.Cluster("cluster-east")
	if err != nil {
		t.Fatal(err)
	}
	inSupervisor := writes(t, world.fleet.Supervisor, ns, "one")
	if len(inSupervisor) > 5 {
		t.Errorf("%d writes in the supervisor, the bound is 5:\n%s", len(inSupervisor), strings.Join(inSupervisor, "\n"))
	}
	inRemote := writes(t, east, ns, "vm-one")
	if len(inRemote) > 2 {
		t.Errorf("%d writes in the remote cluster, the bound is 2:\n%s", len(inRemote), strings.Join(inRemote, "\n"))
	}
	t.Logf("writes for one Machine: %d in the supervisor, %d in its cluster:\n%s",
		len(inSupervisor), len(inRemote), strings.Join(append(inSupervisor, inRemote...), "\n"))
	for _, remote := range world.fleet.Remotes {
		if remote.Name == "cluster-east" {
			continue
		}
		if looks := callsIn(t, remote, func(c call) bool { return c.ObjectRef.Name == "vm-one" }); len(looks) > 0 {
			t.Errorf("a new Machine with a reference made the operator look into %s:\n%s", remote.Name,
				strings.Join(looks, "\n"))
		}
	}
	atRest(t, ns, 5*time.Second)
}

// TestAtRest: Machines that run cost nothing, in no cluster. The public operator asks for each
// every five seconds.
func TestAtRest(t *testing.T) { restsFor(t, "rest", 30, 15*time.Second) }

// TestLongAtRest is the figure of the specification: 300 Machines, two minutes.
func TestLongAtRest(t *testing.T) { restsFor(t, "long-rest", 300, 2*time.Minute) }

func restsFor(t *testing.T, name string, count int, quiet time.Duration) {
	t.Helper()
	ns := namespace(t, name)
	startOperator(t)
	for i := range count {
		create(t, machine(ns, fmt.Sprintf("m%03d", i), world.fleet.Remotes[i%len(world.fleet.Remotes)].Name))
	}
	for i := range count {
		m := machine(ns, fmt.Sprintf("m%03d", i), "")
		eventually(t, 5*patience, func() string {
			return notRunning(t, m, world.fleet.Remotes[i%len(world.fleet.Remotes)].Name)
		})
	}
	atRest(t, ns, quiet)
}

// atRest waits until nothing is asked about a namespace any more, and then looks that it stays so
// for a while. What the operator asks meanwhile that is for no Machine is told.
func atRest(t *testing.T, ns string, quiet time.Duration) {
	t.Helper()
	count := func(matches func(call) bool) int {
		n := 0
		for _, cluster := range world.fleet.Clusters() {
			n += len(callsIn(t, cluster, matches))
		}
		return n
	}
	of := func(c call) bool { return c.ObjectRef.Namespace == ns }
	all := func(call) bool { return true }
	var since time.Time
	last, others := -1, 0
	eventually(t, patience+2*quiet, func() string {
		if now := count(of); now != last {
			last, since, others = now, time.Now(), count(all)
		}
		if time.Since(since) < quiet {
			return "Machines at rest cost calls"
		}
		return ""
	})
	others = count(all) - others
	t.Logf("at rest for %s: 0 calls for Machines, %d others", quiet, others)
	// A probe of each cluster every ten seconds, and watches that are opened again.
	if limit := len(world.fleet.Remotes) * int(quiet/(4*time.Second)+4); others > limit {
		t.Errorf("%d calls that are for no Machine, at most %d were expected", others, limit)
	}
}

// writes are the operator's for one object by name, and those that have no name yet.
func writes(t *testing.T, cluster *fleet.Cluster, ns, name string) []string {
	t.Helper()
	return callsIn(t, cluster, func(c call) bool {
		return c.isWrite() && !c.isShared() && c.ObjectRef.Namespace == ns && strings.HasPrefix(c.ObjectRef.Name, name)
	})
}

// callsIn are the operator's calls to one cluster that match.
func callsIn(t *testing.T, cluster *fleet.Cluster, matches func(call) bool) []string {
	t.Helper()
	calls, err := audited(cluster)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, c := range calls {
		if matches(c) {
			found = append(found, c.String())
		}
	}
	return found
}

// audited are all of the operator's calls to one cluster.
func audited(cluster *fleet.Cluster) ([]call, error) {
	file, err := os.Open(cluster.ControlPlane.AuditLog())
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var calls []call
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c call
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			continue // a line that is still being written
		}
		if c.User.Username == operatorUser && (c.Stage == "ResponseComplete" || c.Stage == "ResponseStarted") {
			calls = append(calls, c)
		}
	}
	return calls, lines.Err()
}

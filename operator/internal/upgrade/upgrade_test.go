package upgrade

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/eventually"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

const (
	// patience is for what happens soon on a quiet machine. The test counts calls and compares states,
	// it measures no times.
	patience = 5 * time.Minute
	// pace is the time between two changes that people make while the operator is replaced.
	pace = 250 * time.Millisecond
)

// TestUpgrade: the former version runs 50 Machines and is replaced by this one, while Machines are
// created, changed and deleted. No guest is restarted, nothing is written twice, and each status
// tells the truth about the present generation. Then this version is replaced by the former again,
// which neither makes nor deletes anything that nobody asked for, and leaves a Machine alone that
// this version was moving to another cluster.
func TestUpgrade(t *testing.T) {
	began := time.Now()
	install(t, world.former)
	operator := start(t, world.former)
	names := newCrowd(t, 50)
	untilTrue(t, names)
	// The last writes of the former version are to be over: what is counted below is this one's.
	untilRest(t, 5*time.Second)
	before := guests(t)
	changed, deleted, untouched := names[:6], names[6:12], names[12:]

	rested := time.Now()
	install(t, world.present)
	plan := changes(t, changed, deleted)
	performed := make(chan int, len(plan))
	go perform(t.Context(), plan, performed)
	waitFor(t, performed, 3)
	next := start(t, world.present) // it waits for the lease, as while a Deployment rolls
	waitFor(t, performed, 9)
	operator.stop(t)
	operator = next
	waitFor(t, performed, len(plan))

	names = slices.Concat(changed, untouched, created(len(deleted)))
	untilTrue(t, names)
	after := guests(t)
	wantSame(t, before, after, untouched)
	wantChanged(t, before, after, changed)
	if len(after) != len(names) {
		t.Errorf("%d virtual machines of %d Machines", len(after), len(names))
	}
	untilRest(t, time.Minute)
	wantWrittenOnce(t, untouched, began, rested)
	wantMadeOnce(t, created(len(deleted)))
	untilTrue(t, names)
	wantSame(t, before, guests(t), untouched)

	operator.stop(t)
	rolledBack, present := time.Now(), guests(t)
	install(t, world.former)
	start(t, world.former)
	create(t, machine("late", 0))
	untilTrue(t, append(names, "late"))
	untilRest(t, 15*time.Second)
	wantSame(t, present, guests(t), names)
	wantNothingMade(t, "vm-late", rolledBack)
	wantMoveRefused(t, untouched[0])
}

// created are the names of the Machines that are created while the operator is replaced.
func created(count int) []string {
	var names []string
	for i := range count {
		names = append(names, fmt.Sprintf("new%02d", i))
	}
	return names
}

// changes are what people do while the operator is replaced: in turn a creation, a change and a
// deletion.
func changes(t *testing.T, changed, deleted []string) []func() {
	t.Helper()
	var all []func()
	for i, name := range created(len(deleted)) {
		all = append(all,
			func() { create(t, machine(name, i)) },
			func() { enlarge(t, changed[i]) },
			func() { remove(t, deleted[i]) })
	}
	return all
}

// perform makes changes one by one, and tells how many it has made.
func perform(ctx context.Context, plan []func(), performed chan<- int) {
	clock := time.NewTicker(pace)
	defer clock.Stop()
	for i, change := range plan {
		select {
		case <-ctx.Done():
			return
		case <-clock.C:
			change()
			performed <- i + 1
		}
	}
}

// waitFor waits until a number of changes have been made.
func waitFor(t *testing.T, performed <-chan int, count int) {
	t.Helper()
	for {
		select {
		case <-t.Context().Done():
			t.Fatal(t.Context().Err())
		case <-time.After(patience):
			t.Fatalf("%d changes were not made", count)
		case done := <-performed:
			if done >= count {
				return
			}
		}
	}
}

// wantSame holds that guests run on as they were: the same objects, and no label more or less.
func wantSame(t *testing.T, before, after map[string]guest, names []string) {
	t.Helper()
	if diff := cmp.Diff(of(t, before, names), of(t, after, names)); diff != "" {
		t.Errorf("guests that nobody changed (-before +after):\n%s", diff)
	}
}

// wantChanged holds that Machines got what they asked for, and that their guests run on: a restart
// is a person's business.
func wantChanged(t *testing.T, before, after map[string]guest, names []string) {
	t.Helper()
	for _, name := range names {
		if before[name].VMI != after[name].VMI || before[name].VM != after[name].VM {
			t.Errorf("the guest of %s was %s, is %s", name, before[name].VMI, after[name].VMI)
		}
		if err := hasMemory(t.Context(), after[name], name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// writes are the operator's since a time, in the remote clusters alone or in all.
func writes(t *testing.T, since time.Time, clusters ...*fleet.Cluster) []audit.Call {
	t.Helper()
	var logs []string
	for _, cluster := range clusters {
		logs = append(logs, cluster.ControlPlane.AuditLog())
	}
	calls, err := audit.ReadAll(logs, audit.Filter{
		User: fleet.OperatorUser, Writes: true, Since: since,
		// A lease is renewed for ever, and a review asks for rights: it changes nothing.
		But: []string{"leases", "selfsubjectaccessreviews"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return calls
}

// untilRest waits until the operator has written nothing in any cluster for a time.
func untilRest(t *testing.T, quiet time.Duration) {
	t.Helper()
	began := time.Now()
	var since time.Time
	last := -1
	eventually.Eventually(t, patience+quiet, "the operator rests for "+quiet.String(), func(context.Context) error {
		calls := writes(t, began, world.fleet.Clusters()...)
		if len(calls) != last {
			last, since = len(calls), time.Now()
		}
		if time.Since(since) < quiet {
			return fmt.Errorf("%d writes:\n%s", len(calls), audit.Tally(calls))
		}
		return nil
	})
}

// wantWrittenOnce holds that each object of Machines that nobody changed was written at most once by
// both versions together since the former one rested, in any cluster. Before that it wrote them all.
func wantWrittenOnce(t *testing.T, names []string, began, rested time.Time) {
	t.Helper()
	object := func(call audit.Call) string { return call.Kind() + " " + call.Name }
	since := about(names, writes(t, rested, world.fleet.Clusters()...))
	counts := audit.By(since, object)
	if most := counts.Most(); most.Calls > 1 {
		t.Errorf("%s was written %d times:\n%s", most.Key, most.Calls, counts)
	}
	all := audit.By(about(names, writes(t, began, world.fleet.Clusters()...)), object)
	for _, name := range names {
		for _, key := range []string{"machines.vitistack.io/status " + name, "virtualmachines.kubevirt.io vm-" + name} {
			if all.Of(key) == 0 {
				t.Errorf("no write of %s was counted: the test looked at nothing", key)
			}
		}
	}
	t.Logf("objects of %d Machines that nobody changed: %d were written in all, since the upgrade %d:\n%s",
		len(names), len(all), len(counts), audit.By(since, audit.Call.Kind))
}

// about are the calls about Machines and what was made for them.
func about(names []string, calls []audit.Call) []audit.Call {
	var theirs []audit.Call
	for _, call := range calls {
		if call.Namespace == namespace && slices.ContainsFunc(names, func(name string) bool { return isOf(call, name) }) {
			theirs = append(theirs, call)
		}
	}
	return theirs
}

// isOf says whether a call is about a Machine or what was made for it, by the name.
func isOf(call audit.Call, machine string) bool {
	return call.Name == machine || call.Name == "vm-"+machine ||
		len(call.Name) > len(machine)+4 && call.Name[:len(machine)+4] == "vm-"+machine+"-"
}

// wantMadeOnce holds that each Machine's VirtualMachine was created once in the whole fleet.
func wantMadeOnce(t *testing.T, names []string) {
	t.Helper()
	counts := audit.By(made(t, time.Time{}), func(call audit.Call) string { return call.Verb + " " + call.Name })
	for _, name := range names {
		if got := counts.Of("create vm-" + name); got != 1 {
			t.Errorf("the virtual machine of %s was created %d times", name, got)
		}
	}
}

// made are the creations and deletions of VirtualMachines in the remote clusters that were carried
// out.
func made(t *testing.T, since time.Time) []audit.Call {
	t.Helper()
	var all []audit.Call
	for _, call := range writes(t, since, world.fleet.Remotes...) {
		if call.Resource == "virtualmachines" && call.Subresource == "" && call.Verb != "patch" && call.Code < 300 {
			all = append(all, call)
		}
	}
	return all
}

// wantNothingMade holds that the operator created one VirtualMachine since a time, and deleted
// none.
func wantNothingMade(t *testing.T, but string, since time.Time) {
	t.Helper()
	calls := made(t, since)
	if len(calls) != 1 || calls[0].Verb != "create" || calls[0].Name != but {
		t.Errorf("the former version made or deleted what nobody asked for:\n%s", audit.Tally(calls))
	}
}

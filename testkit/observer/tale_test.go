package observer

import (
	"encoding/json"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// tale is what an observer of a supervisor and two remotes is told to have seen. Times are seconds
// after its begin.
type tale struct {
	t        *testing.T
	history  *lockedHistory
	revision int
	options  Options
	calls    map[string][]audit.Call
}

// begin is when every tale begins.
var begin = time.Date(2026, time.November, 30, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return begin.Add(time.Duration(seconds * float64(time.Second))) }

// The clusters and UIDs of the tales.
const (
	east  = "cluster-east"
	west  = "cluster-west"
	web   = "machine-web"
	webVM = "vm-web"
)

func newTale(t *testing.T) *tale {
	t.Helper()
	var places []place
	for _, kind := range followedInSupervisor() {
		places = append(places, place{fleet.Supervisor, kind.Resource})
	}
	for _, remote := range []string{east, west} {
		for _, kind := range followedRemotely() {
			places = append(places, place{remote, kind.Resource})
		}
	}
	n := &tale{t: t, history: newHistory(places, at(-10)), revision: 100, calls: map[string][]audit.Call{},
		options: Options{Since: at(-10)}.complete()}
	for _, p := range places {
		n.history.listed(p.cluster, p.resource, nil, "100", at(-9))
	}
	for _, name := range []string{east, west} {
		n.put(fleet.Supervisor, configs, fleet.ConfigsNamespace, name, "config-"+name, -8, nil)
	}
	return n
}

// put tells of an object in one state. fields are by path.
func (n *tale) put(
	cluster, resource, namespace, name, uid string, seconds float64, fields map[string]any, gone ...bool,
) {
	n.t.Helper()
	n.history.saw(cluster, resource, n.object(namespace, name, uid, fields), len(gone) > 0, at(seconds))
}

func (n *tale) object(namespace, name, uid string, fields map[string]any) *unstructured.Unstructured {
	n.revision++
	object := &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{}}}
	for field, value := range fields {
		object.Object[field] = value
	}
	object.SetNamespace(namespace)
	object.SetName(name)
	object.SetUID(types.UID(uid))
	object.SetResourceVersion(strconv.Itoa(n.revision))
	return object
}

// vm tells of a VirtualMachine vm-web of shop that carries the labels of Machine web.
func (n *tale) vm(cluster, uid, strategy string, seconds float64) {
	n.t.Helper()
	n.put(cluster, virtualMachines, "shop", "vm-web", uid, seconds, vmFields(strategy))
}

func vmFields(strategy string) map[string]any {
	return map[string]any{
		"metadata": map[string]any{"labels": map[string]any{vitistackv1alpha1.LabelMachineUID: web}, "generation": int64(1)},
		"spec": map[string]any{"runStrategy": strategy, "template": map[string]any{"spec": map[string]any{
			"domain": map[string]any{"cpu": map[string]any{"cores": int64(2)}}}}},
	}
}

func (n *tale) vmGone(cluster, uid string, seconds float64) {
	n.t.Helper()
	n.put(cluster, virtualMachines, "shop", "vm-web", uid, seconds, vmFields("Always"), true)
}

// machine tells of the Machine shop/web, as change makes it.
func (n *tale) machine(seconds float64, change func(m *vitistackv1alpha1.Machine)) {
	n.t.Helper()
	n.put(fleet.Supervisor, machines, "shop", "web", web, seconds, n.machineFields(change))
}

func (n *tale) machineGone(seconds float64, change func(m *vitistackv1alpha1.Machine)) {
	n.t.Helper()
	n.put(fleet.Supervisor, machines, "shop", "web", web, seconds, n.machineFields(change), true)
}

func (n *tale) machineFields(change func(m *vitistackv1alpha1.Machine)) map[string]any {
	n.t.Helper()
	m := &vitistackv1alpha1.Machine{}
	m.Generation = 1
	if change != nil {
		change(m)
	}
	text, err := json.Marshal(m)
	if err != nil {
		n.t.Fatal(err)
	}
	fields := map[string]any{}
	if err := json.Unmarshal(text, &fields); err != nil {
		n.t.Fatal(err)
	}
	return fields
}

// placedIn writes the record of a place into a Machine.
func placedIn(cluster, vmUID string) func(m *vitistackv1alpha1.Machine) {
	return func(m *vitistackv1alpha1.Machine) {
		ledger := vitistackv1alpha1.Ledger{Config: cluster, ClusterUID: "uid-" + cluster, Namespace: "shop", VMName: "vm-web",
			Nonce: "n1", VMUID: vmUID}
		m.Annotations = map[string]string{vitistackv1alpha1.AnnotationPlacement: ledger.String()}
	}
}

// all does several changes of a Machine.
func all(changes ...func(m *vitistackv1alpha1.Machine)) func(m *vitistackv1alpha1.Machine) {
	return func(m *vitistackv1alpha1.Machine) {
		for _, change := range changes {
			change(m)
		}
	}
}

// says gives a Machine a condition Ready for its generation.
func says(status metav1.ConditionStatus, reason, message string) func(m *vitistackv1alpha1.Machine) {
	return func(m *vitistackv1alpha1.Machine) {
		m.Status.ObservedGeneration = m.Generation
		m.Status.Conditions = []vitistackv1alpha1.MachineCondition{
			{Type: vitistackv1alpha1.ConditionReady, Status: status, Reason: reason, Message: message}}
	}
}

// call tells of a call that was answered at once. uri is "" for one without a query.
func (n *tale) call(cluster, user, verb, resource, name string, code int, seconds float64) {
	n.t.Helper()
	n.called(cluster, audit.Call{User: user, Verb: verb, Resource: resource, Namespace: "shop", Name: name, Code: code,
		URI: "/", Received: at(seconds), Answered: at(seconds)})
}

func (n *tale) called(cluster string, call audit.Call) {
	n.t.Helper()
	n.history.called(cluster, []audit.Call{call}, n.options, call.Answered)
}

// inTrouble tells that a cluster was in trouble for a while.
func (n *tale) inTrouble(cluster string, silent bool, from, until float64) {
	n.history.trouble[cluster] = append(n.history.trouble[cluster],
		trouble{span: span{From: at(from), Until: at(until)}, Silent: silent})
}

// seen is what the observer has seen by a time.
func (n *tale) seen(seconds float64) seen {
	calls := n.history.settled(at(seconds))
	s := n.history.snapshot(at(seconds))
	s.options, s.calls = n.options, calls
	s.clusterUIDs = map[string]string{fleet.Supervisor: "uid-supervisor", east: "uid-" + east, west: "uid-" + west}
	return s
}

// situation is a row of a rule's table.
type situation struct {
	reason string
	tell   func(n *tale)
	// now is when it is judged, in seconds. 0 is after ten minutes.
	now float64
	// want are the invariants that are broken, with the object.
	want []string
}

// judge holds a rule to its table.
func judge(t *testing.T, broken rule, situations map[string]situation) {
	t.Helper()
	for name, c := range situations {
		t.Run(name, func(t *testing.T) {
			n := newTale(t)
			c.tell(n)
			if c.now == 0 {
				c.now = 600
			}
			var got []string
			for _, v := range broken(n.seen(c.now)) {
				got = append(got, v.Invariant+" "+v.Object)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s (-want +got):\n%s", c.reason, diff)
			}
		})
	}
}

package journeys

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	kubevirtv1 "kubevirt.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// observer follows the virtual machines of all clusters from outside, and notes each moment in which
// two of one Machine are on: they run, or their run strategy would start them.
type observer struct {
	since time.Time

	mu     sync.Mutex
	on     map[string]map[string]bool // by Machine's UID and cluster, of VirtualMachines
	up     map[string]map[string]bool // the same, of instances
	broken []string
	byHand map[string]bool // Machines whose source a person starts
}

// observe follows all clusters until the test ends, and fails it for what was seen.
func observe(t *testing.T) *observer {
	t.Helper()
	o := &observer{
		since: time.Now(), on: map[string]map[string]bool{}, up: map[string]map[string]bool{}, byHand: map[string]bool{},
	}
	ctx, cancel := context.WithCancel(context.Background())
	var following sync.WaitGroup
	for name, cluster := range world.clusters {
		for _, list := range []client.ObjectList{&kubevirtv1.VirtualMachineList{}, &kubevirtv1.VirtualMachineInstanceList{}} {
			c, err := client.NewWithWatch(cluster.ControlPlane.Config(), client.Options{Scheme: world.remote[name].Scheme()})
			if err != nil {
				t.Fatal(err)
			}
			following.Go(func() { o.follow(ctx, name, c, list) })
		}
	}
	t.Cleanup(func() {
		cancel()
		following.Wait()
		for _, broken := range o.broken {
			t.Error(broken)
		}
		o.deleted(t)
	})
	return o
}

// follow watches one kind in one cluster, and begins anew when that ends.
func (o *observer) follow(ctx context.Context, cluster string, c client.WithWatch, list client.ObjectList) {
	for ctx.Err() == nil {
		w, err := c.Watch(ctx, list, &client.ListOptions{})
		if err != nil {
			time.Sleep(100 * time.Millisecond)
			continue
		}
		for event := range w.ResultChan() {
			o.saw(cluster, event)
		}
	}
}

func (o *observer) saw(cluster string, event watch.Event) {
	gone := event.Type == watch.Deleted
	switch object := event.Object.(type) {
	case *kubevirtv1.VirtualMachine:
		halted := object.Spec.RunStrategy != nil && *object.Spec.RunStrategy == kubevirtv1.RunStrategyHalted
		o.note(o.on, cluster, object, !gone && !halted && object.DeletionTimestamp.IsZero())
	case *kubevirtv1.VirtualMachineInstance:
		o.note(o.up, cluster, object, !gone && !object.IsFinal())
	}
}

func (o *observer) note(which map[string]map[string]bool, cluster string, object client.Object, is bool) {
	uid := object.GetLabels()[vitistackv1alpha1.LabelMachineUID]
	if uid == "" {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if which[uid] == nil {
		which[uid] = map[string]bool{}
	}
	which[uid][cluster] = is
	var clusters []string
	for name := range world.clusters {
		if o.on[uid][name] || o.up[uid][name] {
			clusters = append(clusters, name)
		}
	}
	if len(clusters) > 1 && !o.byHand[uid] {
		o.broken = append(o.broken, fmt.Sprintf("%s/%s is on in %v", object.GetNamespace(), object.GetName(), clusters))
	}
}

// excuse takes a Machine out of the observation, whose source a person starts.
func (o *observer) excuse(uid types.UID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.byHand[string(uid)] = true
}

// deleted holds, by the audit logs of all clusters, that the operator deleted nothing in bulk, and
// nothing that a person made: what is a person's is called so.
func (o *observer) deleted(t *testing.T) {
	t.Helper()
	for name, cluster := range world.clusters {
		calls, err := audit.Read(cluster.ControlPlane.AuditLog(),
			audit.Filter{User: fleet.OperatorUser, Since: o.since, Writes: true})
		if err != nil {
			t.Error(err)
		}
		for _, call := range calls {
			if call.Verb == "deletecollection" || len(call.Name) > len(persons) && call.Name[:len(persons)] == persons {
				t.Errorf("%s: %s", name, call)
			}
		}
	}
}

// persons begins the names of what is a person's.
const persons = "persons-"

package standin

import (
	"cmp"
	"strconv"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/uuid"
	kubevirtv1 "kubevirt.io/api/core/v1"
)

// Cluster is what one stand-in keeps. It is safe for concurrent use.
type Cluster struct {
	name string
	uid  types.UID

	mu     sync.Mutex
	locked struct {
		revision    int64
		collections map[resource]*collection
		owned       map[types.UID]map[owned]struct{} // what goes with an owner
	}
}

// owned is an object that has an owner.
type owned struct {
	of resource
	key
}

func newCluster(name string, kubeVirt *kubevirtv1.KubeVirt, prepared []*stored) (*Cluster, error) {
	c := &Cluster{name: name}
	c.locked.revision = 1
	c.locked.collections = map[resource]*collection{}
	c.locked.owned = map[types.UID]map[owned]struct{}{}
	for _, r := range resources {
		c.locked.collections[r] = newCollection()
	}
	return c, c.setUp(kubeVirt, prepared)
}

// Name is the cluster's name.
func (c *Cluster) Name() string { return c.name }

// UID is the UID of the cluster's namespace kube-system.
func (c *Cluster) UID() types.UID { return c.uid }

// Count is the number of objects of a kind, by its plural name.
func (c *Cluster) Count(plural string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	count := 0
	for r, objects := range c.locked.collections {
		if r.plural == plural {
			count += len(objects.objects)
		}
	}
	return count
}

func (c *Cluster) get(r resource, k key) (*stored, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.find(r, k)
}

// find needs the lock.
func (c *Cluster) find(r resource, k key) (*stored, error) {
	object, found := c.locked.collections[r].objects[k]
	if !found {
		return nil, apierrors.NewNotFound(schema.GroupResource{Group: r.group, Resource: r.plural}, k.name)
	}
	return object, nil
}

// list returns the chosen objects and the cluster's revision.
func (c *Cluster) list(r resource, chosen selection) ([]*stored, int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.locked.collections[r].list(chosen), c.locked.revision
}

// revision is the cluster's youngest.
func (c *Cluster) revision() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.locked.revision
}

// since returns the events of a kind after a revision, the revision that they reach to, and a
// channel that is closed at the next event.
func (c *Cluster) since(r resource, revision int64) (
	events []event, upTo int64, more <-chan struct{}, gone bool,
) {
	c.mu.Lock()
	defer c.mu.Unlock()
	collection := c.locked.collections[r]
	events, gone = collection.since(revision)
	return events, c.locked.revision, collection.changed, gone
}

// create keeps a new object, unless it is a trial.
func (c *Cluster) create(r resource, object *unstructured.Unstructured, trial bool) (*stored, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if object.GetName() == "" {
		object.SetName(object.GetGenerateName() + string(uuid.NewUUID())[:5])
	}
	k := keyOf(object)
	if _, err := c.find(r, k); err == nil {
		return nil, apierrors.NewAlreadyExists(schema.GroupResource{Group: r.group, Resource: r.plural}, k.name)
	}
	if r.namespaced {
		if _, err := c.find(namespaces, key{name: k.namespace}); err != nil {
			return nil, err
		}
	}
	if r.status {
		delete(object.Object, "status")
	}
	object.SetAPIVersion(r.apiVersion())
	object.SetKind(r.kind)
	object.SetUID(uuid.NewUUID())
	object.SetGeneration(1)
	object.SetCreationTimestamp(metav1.Now())
	object.SetDeletionTimestamp(nil)
	return c.keep(r, nil, object, trial)
}

// keep gives an object its revision, keeps it and notes the event. It needs the lock.
func (c *Cluster) keep(r resource, before *stored, object *unstructured.Unstructured, trial bool) (*stored, error) {
	object.SetResourceVersion(strconv.FormatInt(c.locked.revision+1, 10))
	now, err := store(object)
	if err != nil || trial {
		return now, err
	}
	c.locked.revision++
	collection := c.locked.collections[r]
	collection.objects[now.key] = now
	for _, owner := range now.owners {
		if c.locked.owned[owner] == nil {
			c.locked.owned[owner] = map[owned]struct{}{}
		}
		c.locked.owned[owner][owned{r, now.key}] = struct{}{}
	}
	collection.note(event{revision: now.revision, before: before, now: now, body: now.body})
	return now, nil
}

// preconditions are what a deletion asks for; "" is anything.
type preconditions struct{ uid, resourceVersion string }

// remove deletes an object, or marks it where finalizers hold it.
func (c *Cluster) remove(r resource, k key, wanted preconditions, trial bool) (*stored, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before, err := c.find(r, k)
	if err != nil {
		return nil, err
	}
	uid, version := string(before.uid), strconv.FormatInt(before.revision, 10)
	if cmp.Or(wanted.uid, uid) != uid || cmp.Or(wanted.resourceVersion, version) != version {
		return nil, conflict(r, k, "the preconditions do not hold")
	}
	object, err := before.decode()
	if err != nil || trial {
		return before, err
	}
	if len(object.GetFinalizers()) == 0 {
		return before, c.drop(r, before)
	}
	if object.GetDeletionTimestamp() != nil {
		return before, nil
	}
	now := metav1.Now()
	object.SetDeletionTimestamp(&now)
	return c.keep(r, before, object, false)
}

// drop takes an object out, and what it owned with it. It needs the lock.
func (c *Cluster) drop(r resource, before *stored) error {
	object, err := before.decode()
	if err != nil {
		return err
	}
	c.locked.revision++
	object.SetResourceVersion(strconv.FormatInt(c.locked.revision, 10))
	last, err := store(object)
	if err != nil {
		return err
	}
	collection := c.locked.collections[r]
	delete(collection.objects, before.key)
	collection.note(event{revision: c.locked.revision, before: before, body: last.body})
	for _, owner := range before.owners {
		delete(c.locked.owned[owner], owned{r, before.key})
	}
	for child := range c.locked.owned[before.uid] {
		object, err := c.find(child.of, child.key)
		if err != nil {
			continue // it went by itself
		}
		if err := c.drop(child.of, object); err != nil {
			return err
		}
	}
	delete(c.locked.owned, before.uid)
	return nil
}

func conflict(r resource, k key, why string) error {
	return apierrors.NewConflict(schema.GroupResource{Group: r.group, Resource: r.plural}, k.name, errorText(why))
}

type errorText string

func (e errorText) Error() string { return string(e) }

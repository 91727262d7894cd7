package observer

import (
	"context"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/dynamic"
)

const (
	// listTimeout is for one list: a frozen API server gives none.
	listTimeout = 10 * time.Second
	// pause is what lies between two attempts to list.
	pause = 100 * time.Millisecond
)

// follower follows one kind in one cluster. It does not resume a watch that ended: revisions may
// have been reused by a restored etcd, so it lists again.
type follower struct {
	cluster  string
	resource schema.GroupVersionResource
	client   dynamic.Interface
	history  *lockedHistory
}

// run follows until the context ends. What is not served there is asked for again and again.
func (f follower) run(ctx context.Context) {
	for ctx.Err() == nil {
		revision, err := f.list(ctx)
		if err == nil {
			f.watch(ctx, revision)
			f.history.lost(f.cluster, f.resource.Resource, time.Now())
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
		}
	}
}

// list reads everything. It is what the API server has at a moment after the call, not a cache.
func (f follower) list(ctx context.Context) (revision string, err error) {
	ctx, cancel := context.WithTimeout(ctx, listTimeout)
	defer cancel()
	list, err := f.client.Resource(f.resource).List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", err
	}
	f.history.listed(f.cluster, f.resource.Resource, list.Items, list.GetResourceVersion(), time.Now())
	return list.GetResourceVersion(), nil
}

// watch tells the history of each event until the watch ends.
func (f follower) watch(ctx context.Context, revision string) {
	w, err := f.client.Resource(f.resource).Watch(ctx, metav1.ListOptions{ResourceVersion: revision})
	if err != nil {
		return
	}
	defer w.Stop()
	for event := range w.ResultChan() {
		object, isObject := event.Object.(*unstructured.Unstructured)
		switch event.Type {
		case watch.Added, watch.Modified, watch.Deleted:
			if isObject {
				f.history.saw(f.cluster, f.resource.Resource, object, event.Type == watch.Deleted, time.Now())
			}
		default:
			return // an error: list again
		}
	}
}

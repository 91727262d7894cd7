package multicluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"
	"sigs.k8s.io/multicluster-runtime/pkg/multicluster"
)

// index is a field index that every cluster gets.
type index struct {
	key     indexKey
	object  client.Object
	extract client.IndexerFunc
}

// indexKey tells indexes apart as a cache does.
type indexKey struct {
	kind  schema.GroupVersionKind
	form  string // the Go type: typed, unstructured and metadata objects have caches of their own
	field string
}

// member is one connection with what it got from us.
type member struct {
	cluster cluster.Cluster
	indexed map[indexKey]struct{}
	end     context.CancelFunc // ends the engagement; nil while it is not engaged
}

// addMissing adds each index that the cluster does not have yet. A cache refuses an index that it
// has, so one that was added must be remembered even if the next fails.
func (m *member) addMissing(ctx context.Context, indexes ...index) error {
	for _, each := range indexes {
		if _, has := m.indexed[each.key]; has {
			continue
		}
		if err := m.cluster.GetFieldIndexer().IndexField(ctx, each.object, each.key.field, each.extract); err != nil {
			return fmt.Errorf("index %s of %s: %w", each.key.field, each.key.kind.Kind, err)
		}
		m.indexed[each.key] = struct{}{}
	}
	return nil
}

// lockedMembers are the connections that have been seen, by the name of their cluster, and the
// indexes that each of them gets. Its methods take the lock.
type lockedMembers struct {
	sync.Mutex
	members map[string]*member
	indexes []index
}

func (l *lockedMembers) names() []multicluster.ClusterName {
	l.Lock()
	defer l.Unlock()
	var names []multicluster.ClusterName
	for _, name := range slices.Sorted(maps.Keys(l.members)) {
		if l.members[name].end != nil {
			names = append(names, multicluster.ClusterName(name))
		}
	}
	return names
}

// addIndex adds an index to all members, and to those that come if none refuses it. offered tells
// whether a member's connection lasts: one that has ended takes no index.
func (l *lockedMembers) addIndex(
	ctx context.Context, added index, offered func(name string, known cluster.Cluster) bool,
) error {
	l.Lock()
	defer l.Unlock()
	if slices.ContainsFunc(l.indexes, func(each index) bool { return each.key == added.key }) {
		return fmt.Errorf("index %s of %s is there already", added.key.field, added.key.kind.Kind)
	}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(l.members)) {
		err := l.members[name].addMissing(ctx, added)
		if err != nil && offered(name, l.members[name].cluster) {
			errs = append(errs, fmt.Errorf("cluster %s: %w", name, err))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	l.indexes = append(l.indexes, added)
	return nil
}

// prepare makes found the connection of a name, with all indexes. It ends the engagement of the
// former connection. engaged says that the connection is engaged already.
func (l *lockedMembers) prepare(ctx context.Context, name string, found cluster.Cluster) (engaged bool, err error) {
	l.Lock()
	defer l.Unlock()
	known := l.members[name]
	if known == nil || known.cluster != found {
		if known != nil && known.end != nil {
			known.end()
		}
		known = &member{cluster: found, indexed: map[indexKey]struct{}{}}
		l.members[name] = known
	}
	return known.end != nil, known.addMissing(ctx, l.indexes...)
}

// engaged remembers how to end an engagement. It is false where another connection has come
// meanwhile.
func (l *lockedMembers) engaged(name string, found cluster.Cluster, end context.CancelFunc) bool {
	l.Lock()
	defer l.Unlock()
	known := l.members[name]
	if known == nil || known.cluster != found {
		return false
	}
	known.end = end
	return true
}

// forget lets go of a connection that has ended; nil stands for any.
func (l *lockedMembers) forget(name string, ended cluster.Cluster) {
	l.Lock()
	defer l.Unlock()
	if known := l.members[name]; known != nil && (known.cluster == ended || ended == nil && known.end == nil) {
		delete(l.members, name)
	}
}

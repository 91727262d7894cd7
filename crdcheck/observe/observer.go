package observe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
)

// Reader reads definitions from one cluster. NotFound and Forbidden of its errors are those of
// package apierrors.
type Reader interface {
	// Revisions returns a text for each definition, by name, that changes with it: its UID and
	// resourceVersion.
	Revisions(ctx context.Context) (map[string]string, error)
	// Definition returns the definition of a name.
	Definition(ctx context.Context, name string) (*apiextensionsv1.CustomResourceDefinition, error)
}

// Observer reads one cluster. Its methods are safe for concurrent use.
type Observer struct {
	cluster string
	cache   *crdcheck.Cache
	lock    sync.Mutex
	known   map[string]known // by name; replaced as a whole, never changed
}

// known is a definition and the revision that it was read at; "" where that is not known.
type known struct {
	revision   string
	definition crdcheck.Definition
}

// New returns an observer of the cluster of this name. The cache may be shared by all clusters.
func New(cluster string, cache *crdcheck.Cache) *Observer {
	return &Observer{cluster: cluster, cache: cache}
}

// Observe returns a snapshot of the definitions of these names, those that the cluster lacks left
// out. Where nothing has changed since the last call it costs one request. A cluster whose metadata
// may not be listed is asked for each name. What cannot be read makes the cluster unknown: the
// reason is the error's text, or "no answer in time".
func (o *Observer) Observe(ctx context.Context, reader Reader, names []string) crdcheck.Snapshot {
	o.lock.Lock()
	before := o.known
	o.lock.Unlock()
	revisions, err := reader.Revisions(ctx)
	if apierrors.IsForbidden(err) {
		revisions, err = everyName(names), nil
	}
	if err != nil {
		return crdcheck.Unobserved(o.cluster, Reason(err))
	}
	after := make(map[string]known, len(names))
	var (
		reads   sync.WaitGroup
		results sync.Mutex
		failed  = map[string]error{}
	)
	for _, name := range names {
		revision, there := revisions[name]
		if k, found := before[name]; found && there && revision != "" && k.revision == revision {
			results.Lock()
			after[name] = k
			results.Unlock()
			continue
		}
		if !there {
			continue
		}
		reads.Go(func() {
			k, found, err := o.read(ctx, reader, name, revision)
			results.Lock()
			defer results.Unlock()
			switch {
			case err != nil:
				failed[name] = err
			case found:
				after[name] = k
			}
		})
	}
	reads.Wait()
	o.lock.Lock()
	o.known = after
	o.lock.Unlock()
	return o.snapshot(names, after, failed)
}

func everyName(names []string) map[string]string {
	all := make(map[string]string, len(names))
	for _, name := range names {
		all[name] = ""
	}
	return all
}

func (o *Observer) read(ctx context.Context, reader Reader, name, revision string) (known, bool, error) {
	crd, err := reader.Definition(ctx, name)
	if apierrors.IsNotFound(err) {
		return known{}, false, nil
	}
	if err != nil {
		return known{}, false, err
	}
	if revision != "" {
		revision = Revision(string(crd.UID), crd.ResourceVersion)
	}
	definition, err := o.cache.Compile(crd)
	return known{revision: revision, definition: definition}, true, err
}

// Revision is what Reader.Revisions returns for a definition.
func Revision(uid, resourceVersion string) string { return uid + "/" + resourceVersion }

func (o *Observer) snapshot(names []string, after map[string]known, failed map[string]error) crdcheck.Snapshot {
	var definitions []crdcheck.Definition
	for _, name := range slices.Compact(slices.Sorted(slices.Values(names))) {
		if err := failed[name]; err != nil {
			return crdcheck.Unobserved(o.cluster, fmt.Sprintf("%s: %s", name, Reason(err)))
		}
		if k, found := after[name]; found {
			definitions = append(definitions, k.definition)
		}
	}
	return crdcheck.Gathered(o.cluster, definitions...)
}

// Reason is an error in words that stay the same.
func Reason(err error) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return "no answer in time"
	}
	return err.Error()
}

package wake

import (
	"context"
	"reflect"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Reads notes what one reconcile reads from caches: which object, and in which version. It is not
// safe for concurrent use.
type Reads struct {
	noted []read
	lists []list
	lost  bool // some read failed: what it would have given is not known
}

// read is one object that was read.
type read struct {
	remote  bool
	kind    reflect.Type // of the object, without its pointer
	key     client.ObjectKey
	version string // "" where the object does not exist
}

// list is one list that was read.
type list struct {
	remote  bool
	kind    reflect.Type
	options []client.ListOption
	version string
}

// Supervisor returns a reader of the supervisor's cache that notes what it reads.
func (r *Reads) Supervisor(cache client.Reader) client.Reader {
	return &recorder{Reader: cache, reads: r}
}

// Remote returns a reader of a remote cache that notes what it reads. A reconcile reads at most one
// remote cluster this way.
func (r *Reads) Remote(cache client.Reader) client.Reader {
	return &recorder{Reader: cache, reads: r, remote: true}
}

// recorder is a client.Reader that notes what is read through it.
type recorder struct {
	client.Reader
	reads  *Reads
	remote bool
}

// Get implements client.Reader.
func (r *recorder) Get(
	ctx context.Context, key client.ObjectKey, object client.Object, opts ...client.GetOption,
) error {
	err := r.Reader.Get(ctx, key, object, opts...)
	version, ok := versionOf(object, err)
	if !ok {
		r.reads.lost = true
		return err
	}
	r.reads.noted = append(r.reads.noted, read{
		remote: r.remote, kind: reflect.TypeOf(object).Elem(), key: key, version: version,
	})
	return err
}

// List implements client.Reader.
func (r *recorder) List(ctx context.Context, objects client.ObjectList, opts ...client.ListOption) error {
	err := r.Reader.List(ctx, objects, opts...)
	if err != nil {
		r.reads.lost = true
		return err
	}
	r.reads.lists = append(r.reads.lists, list{
		remote: r.remote, kind: reflect.TypeOf(objects).Elem(), options: opts, version: versionsIn(objects),
	})
	return nil
}

// versionOf is the version of what a read gave. ok is false where it gave no answer.
func versionOf(object client.Object, err error) (version string, ok bool) {
	switch {
	case apierrors.IsNotFound(err):
		return "", true
	case err != nil:
		return "", false
	default:
		return object.GetResourceVersion(), true
	}
}

// versionsIn joins the versions of a list's objects.
func versionsIn(objects client.ObjectList) string {
	var all []byte
	err := meta.EachListItem(objects, func(object runtime.Object) error {
		accessor, err := meta.Accessor(object)
		if err != nil {
			return err
		}
		all = append(all, accessor.GetUID()...)
		all = append(all, '/')
		all = append(all, accessor.GetResourceVersion()...)
		all = append(all, '\n')
		return nil
	})
	if err != nil {
		return "unreadable: " + err.Error()
	}
	return string(all)
}

// same reports whether the same reads give the same versions now.
func (r *Reads) same(ctx context.Context, spare *objects, supervisor, remote client.Reader) bool {
	if r.lost {
		return false
	}
	for i := range r.noted {
		if !r.noted[i].same(ctx, spare, pick(r.noted[i].remote, remote, supervisor)) {
			return false
		}
	}
	for i := range r.lists {
		if !r.lists[i].same(ctx, pick(r.lists[i].remote, remote, supervisor)) {
			return false
		}
	}
	return true
}

func pick(isRemote bool, remote, supervisor client.Reader) client.Reader {
	if isRemote {
		return remote
	}
	return supervisor
}

func (r *read) same(ctx context.Context, spare *objects, reader client.Reader) bool {
	if reader == nil {
		return false
	}
	object := spare.borrow(r.kind)
	defer spare.giveBack(r.kind, object)
	version, ok := versionOf(object, reader.Get(ctx, r.key, object))
	return ok && version == r.version
}

func (l *list) same(ctx context.Context, reader client.Reader) bool {
	if reader == nil {
		return false
	}
	objects, isList := reflect.New(l.kind).Interface().(client.ObjectList)
	return isList && reader.List(ctx, objects, append(l.options, client.UnsafeDisableDeepCopy)...) == nil &&
		versionsIn(objects) == l.version
}

// objects are spare objects to read into, by their kind: a comparison of versions keeps nothing of
// what it reads. The zero value is empty.
type objects struct{ pools sync.Map }

func (o *objects) borrow(kind reflect.Type) client.Object {
	pool, found := o.pools.Load(kind)
	if !found {
		pool, _ = o.pools.LoadOrStore(kind, &sync.Pool{New: func() any { return reflect.New(kind).Interface() }})
	}
	return pool.(*sync.Pool).Get().(client.Object)
}

func (o *objects) giveBack(kind reflect.Type, object client.Object) {
	reflect.ValueOf(object).Elem().SetZero()
	if pool, found := o.pools.Load(kind); found {
		pool.(*sync.Pool).Put(object)
	}
}

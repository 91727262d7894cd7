package clientmgr

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// readers is how many Secrets are read at once: some may lie where the supervisor does not answer.
const readers = 8

// errNotRead says that a Secret was asked for and has not been read yet.
var errNotRead = errors.New("not read yet")

// unwatched reads the Secrets that the supervisor's cache does not hold, one by one: a
// cluster-scoped KubevirtConfig names any namespace, and the right to watch all Secrets of a
// cluster is not one to ask for.
type unwatched struct {
	reader            client.Reader
	interval, timeout time.Duration
	clock             clock.WithDelayedExecution
	changed           func(secret any) // told of each Secret that is another one than before
	asked             chan struct{}    // room for one: a Secret is asked for the first time

	locked struct {
		sync.Mutex
		answers map[types.NamespacedName]answer
	}
}

// answer is what the last read of a Secret gave: a Secret without what is of no use here, or an
// error.
type answer struct {
	secret *corev1.Secret
	err    error
}

// version is the same for answers that say the same.
func (a answer) version() string {
	if a.err != nil {
		return string(apierrors.ReasonForError(a.err))
	}
	return string(a.secret.UID) + "/" + a.secret.ResourceVersion
}

// get returns a Secret as it was read last. The first time it asks for it, and returns errNotRead:
// no other Secret waits for this one.
func (u *unwatched) get(name types.NamespacedName) (*corev1.Secret, error) {
	u.locked.Lock()
	defer u.locked.Unlock()
	if known, found := u.locked.answers[name]; found {
		return known.secret, known.err
	}
	u.put(name, answer{err: errNotRead})
	select {
	case u.asked <- struct{}{}:
	default: // run looks already
	}
	return nil, errNotRead
}

func (u *unwatched) read(ctx context.Context, name types.NamespacedName) answer {
	ctx, cancel := context.WithTimeout(ctx, u.timeout)
	defer cancel()
	secret := &corev1.Secret{}
	if err := u.reader.Get(ctx, name, secret); err != nil {
		return answer{err: err}
	}
	_, _ = onlyKubeconfig(secret) // it fails for nothing
	return answer{secret: secret}
}

// put is called with the lock held.
func (u *unwatched) put(name types.NamespacedName, a answer) {
	if u.locked.answers == nil {
		u.locked.answers = map[types.NamespacedName]answer{}
	}
	u.locked.answers[name] = a
}

// store keeps the answer about a Secret that is still asked for.
func (u *unwatched) store(name types.NamespacedName, a answer) (kept bool) {
	u.locked.Lock()
	defer u.locked.Unlock()
	if _, kept = u.locked.answers[name]; kept {
		u.put(name, a)
	}
	return kept
}

// keep forgets the Secrets that no KubevirtConfig names any more.
func (u *unwatched) keep(named secretIndex) {
	u.locked.Lock()
	defer u.locked.Unlock()
	for name := range u.locked.answers {
		if _, still := named[name]; !still {
			delete(u.locked.answers, name)
		}
	}
}

// run reads the Secrets that are asked for at once, and all of them anew from time to time, until
// ctx ends. An answer that is none, for want of contact, changes nothing.
func (u *unwatched) run(ctx context.Context) {
	slots := make(chan struct{}, readers)
	var reading sync.WaitGroup
	defer reading.Wait()
	under := &underWay{}
	for next := u.clock.Now().Add(u.interval); ; {
		timer := u.clock.NewTimer(max(0, next.Sub(u.clock.Now())))
		all := false
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-u.asked:
		case <-timer.C():
			all, next = true, u.clock.Now().Add(u.interval)
		}
		timer.Stop()
		for name, former := range u.known() {
			if !all && !errors.Is(former.err, errNotRead) || !under.begin(name) {
				continue
			}
			reading.Go(func() {
				defer under.end(name)
				select {
				case slots <- struct{}{}:
					defer func() { <-slots }()
					u.refresh(ctx, name, former)
				case <-ctx.Done():
				}
			})
		}
	}
}

// refresh reads one Secret anew.
func (u *unwatched) refresh(ctx context.Context, name types.NamespacedName, former answer) {
	now := u.read(ctx, name)
	first := errors.Is(former.err, errNotRead)
	if ctx.Err() != nil || now.version() == former.version() || now.err != nil && !final(now.err) && !first {
		return
	}
	if u.store(name, now) {
		u.changed(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}})
	}
}

// underWay are the Secrets that are being read. The zero value is none.
type underWay struct {
	mu    sync.Mutex
	names map[types.NamespacedName]struct{}
}

func (w *underWay) begin(name types.NamespacedName) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if _, found := w.names[name]; found {
		return false
	}
	if w.names == nil {
		w.names = map[types.NamespacedName]struct{}{}
	}
	w.names[name] = struct{}{}
	return true
}

func (w *underWay) end(name types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.names, name)
}

func (u *unwatched) known() map[types.NamespacedName]answer {
	u.locked.Lock()
	defer u.locked.Unlock()
	return maps.Clone(u.locked.answers)
}

// final reports whether an error is the API server's word about a Secret.
func final(err error) bool { return apierrors.IsNotFound(err) || apierrors.IsForbidden(err) }

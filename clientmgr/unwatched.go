package clientmgr

import (
	"context"
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

// unwatched reads the Secrets that the supervisor's cache does not hold, one by one: a
// cluster-scoped KubevirtConfig names any namespace, and the right to watch all Secrets of a
// cluster is not one to ask for.
type unwatched struct {
	reader            client.Reader
	interval, timeout time.Duration
	clock             clock.WithDelayedExecution
	changed           func(secret any) // told of each Secret that is another one than before

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

// get returns a Secret as it was read last, and reads it the first time.
func (u *unwatched) get(ctx context.Context, name types.NamespacedName) (*corev1.Secret, error) {
	u.locked.Lock()
	known, found := u.locked.answers[name]
	u.locked.Unlock()
	if !found {
		known = u.read(ctx, name)
		u.store(name, known)
	}
	return known.secret, known.err
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

func (u *unwatched) store(name types.NamespacedName, a answer) {
	u.locked.Lock()
	defer u.locked.Unlock()
	if u.locked.answers == nil {
		u.locked.answers = map[types.NamespacedName]answer{}
	}
	u.locked.answers[name] = a
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

// run reads the known Secrets anew from time to time, until ctx ends. An answer that is none, for
// want of contact, changes nothing.
func (u *unwatched) run(ctx context.Context) {
	for {
		timer := u.clock.NewTimer(u.interval)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C():
		}
		for name, former := range u.known() {
			now := u.read(ctx, name)
			if ctx.Err() != nil || now.version() == former.version() || now.err != nil && !final(now.err) {
				continue
			}
			u.store(name, now)
			u.changed(&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}})
		}
	}
}

func (u *unwatched) known() map[types.NamespacedName]answer {
	u.locked.Lock()
	defer u.locked.Unlock()
	return maps.Clone(u.locked.answers)
}

// final reports whether an error is the API server's word about a Secret.
func final(err error) bool { return apierrors.IsNotFound(err) || apierrors.IsForbidden(err) }

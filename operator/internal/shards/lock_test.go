package shards_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/utils/clock"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/vitistack/kubevirt-multicluster/operator/internal/shards"
)

// lease is one lease of a server, with its version.
type lease struct {
	record  *resourcelock.LeaderElectionRecord // nil before it is created
	version int
	broken  bool
}

// view is how one process sees a lease: it writes only over what it has read.
type view struct {
	*lease
	identity string
	read     int
}

var errBroken = errors.New("no answer")

// Get implements resourcelock.Interface.
func (v *view) Get(context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	switch {
	case v.broken:
		return nil, nil, errBroken
	case v.record == nil:
		return nil, nil, apierrors.NewNotFound(coordinationv1.Resource("leases"), "lease")
	}
	v.read = v.version
	copied := *v.record
	raw, err := json.Marshal(copied)
	return &copied, raw, err
}

// Create implements resourcelock.Interface.
func (v *view) Create(_ context.Context, record resourcelock.LeaderElectionRecord) error {
	if v.record != nil {
		return apierrors.NewAlreadyExists(coordinationv1.Resource("leases"), "lease")
	}
	v.write(record)
	return nil
}

// Update implements resourcelock.Interface.
func (v *view) Update(_ context.Context, record resourcelock.LeaderElectionRecord) error {
	switch {
	case v.broken:
		return errBroken
	case v.read != v.version:
		return apierrors.NewConflict(coordinationv1.Resource("leases"), "lease", errors.New("it was changed"))
	}
	v.write(record)
	return nil
}

func (v *view) write(record resourcelock.LeaderElectionRecord) {
	v.record, v.version = &record, v.version+1
	v.read = v.version
}

// RecordEvent implements resourcelock.Interface.
func (v *view) RecordEvent(string) {}

// Identity implements resourcelock.Interface.
func (v *view) Identity() string { return v.identity }

// Describe implements resourcelock.Interface.
func (v *view) Describe() string { return "lease" }

// candidate is a process that wants a shard.
func candidate(identity string, leases []*lease, now clock.PassiveClock) *shards.Lock {
	views := make([]resourcelock.Interface, len(leases))
	for i := range leases {
		views[i] = &view{lease: leases[i], identity: identity}
	}
	return shards.NewLock(views, now)
}

// lasts is the duration of a lease in seconds.
const lasts = 15

// try does what an elector does each second: it renews what is held, or takes what is free.
func try(t *testing.T, lock *shards.Lock, now time.Time) {
	t.Helper()
	record := resourcelock.LeaderElectionRecord{HolderIdentity: lock.Identity(), LeaseDurationSeconds: lasts}
	record.RenewTime.Time = now
	found, _, err := lock.Get(t.Context())
	switch {
	case apierrors.IsNotFound(err):
		err = lock.Create(t.Context(), record)
	case err == nil && (found.HolderIdentity == "" || found.HolderIdentity == lock.Identity()):
		err = lock.Update(t.Context(), record)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// wants checks which shard is held, -1 for none.
func wants(t *testing.T, lock *shards.Lock, want int) {
	t.Helper()
	if shard, holds := lock.Held(); holds != (want >= 0) || holds && shard != want {
		t.Errorf("%s holds shard %d (%t), want %d", lock.Identity(), shard, holds, want)
	}
}

// TestEachHoldsOneShard: processes take the shards one after the other, the last one stands by, and
// takes over from one that dies once its lease has stayed as it was for its whole duration.
func TestEachHoldsOneShard(t *testing.T) {
	now := clocktesting.NewFakePassiveClock(time.Now())
	leases := []*lease{{}, {}}
	a, b, c := candidate("a", leases, now), candidate("b", leases, now), candidate("c", leases, now)
	for range 3 {
		for _, each := range []*shards.Lock{a, b, c} {
			try(t, each, now.Now())
		}
		now.SetTime(now.Now().Add(time.Second))
	}
	wants(t, a, 0)
	wants(t, b, 1)
	wants(t, c, -1)
	died := now.Now()
	for taken := false; !taken && now.Since(died) < 3*lasts*time.Second; _, taken = c.Held() { // b is dead
		try(t, a, now.Now())
		try(t, c, now.Now())
		now.SetTime(now.Now().Add(time.Second))
	}
	wants(t, a, 0)
	wants(t, c, 1)
	if took := now.Since(died); took < (lasts-2)*time.Second || took > (lasts+1)*time.Second {
		t.Errorf("it was taken over after %s, not once its duration was over", took)
	}
}

// TestReleasedIsTakenAtOnce: who ends in order gives its shard back.
func TestReleasedIsTakenAtOnce(t *testing.T) {
	now := clocktesting.NewFakePassiveClock(time.Now())
	leases := []*lease{{}, {}}
	a, b, c := candidate("a", leases, now), candidate("b", leases, now), candidate("c", leases, now)
	try(t, a, now.Now())
	try(t, b, now.Now())
	if err := a.Update(t.Context(), resourcelock.LeaderElectionRecord{LeaseDurationSeconds: 1}); err != nil {
		t.Fatal(err)
	}
	wants(t, a, -1)
	try(t, c, now.Now())
	wants(t, c, 0)
	wants(t, b, 1)
}

// TestOneOfTwoWins: two find the same lease free, and one of them writes.
func TestOneOfTwoWins(t *testing.T) {
	now := clocktesting.NewFakePassiveClock(time.Now())
	leases := []*lease{{record: &resourcelock.LeaderElectionRecord{}}}
	a, b := candidate("a", leases, now), candidate("b", leases, now)
	for _, each := range []*shards.Lock{a, b} {
		if _, _, err := each.Get(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	take := func(lock *shards.Lock) error {
		return lock.Update(t.Context(), resourcelock.LeaderElectionRecord{HolderIdentity: lock.Identity()})
	}
	if err := take(a); err != nil {
		t.Fatal(err)
	}
	if err := take(b); !apierrors.IsConflict(err) {
		t.Errorf("the second one got %v", err)
	}
	wants(t, a, 0)
	wants(t, b, -1)
}

// TestBrokenLease: a lease that cannot be read keeps nobody from another one.
func TestBrokenLease(t *testing.T) {
	now := clocktesting.NewFakePassiveClock(time.Now())
	leases := []*lease{{broken: true}, {}}
	a, b := candidate("a", leases, now), candidate("b", leases, now)
	try(t, a, now.Now())
	wants(t, a, 1)
	leases[1].broken = true
	if _, _, err := b.Get(t.Context()); !errors.Is(err, errBroken) {
		t.Errorf("where none can be read the error is %v", err)
	}
}

// TestElector runs client-go's own elector: it leads with a shard, and gives it back at its end.
func TestElector(t *testing.T) {
	leases := []*lease{{record: &resourcelock.LeaderElectionRecord{HolderIdentity: "another", LeaseDurationSeconds: 60}}, {}}
	lock := candidate("a", leases, clock.RealClock{})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	led := -1
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: lock, LeaseDuration: 2 * time.Second, RenewDeadline: time.Second, RetryPeriod: 50 * time.Millisecond,
		ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) {
				led, _ = lock.Held()
				time.Sleep(200 * time.Millisecond) // several renewals
				stop()
			},
			OnStoppedLeading: func() {},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	elector.Run(ctx)
	if led != 1 {
		t.Errorf("it led with shard %d", led)
	}
	wants(t, lock, -1)
	if holder := leases[1].record.HolderIdentity; holder != "" {
		t.Errorf("at the end the lease is %s's", holder)
	}
}

package observer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"

	"github.com/vitistack/kubevirt-multicluster/testkit/audit"
	"github.com/vitistack/kubevirt-multicluster/testkit/fleet"
)

// Options say what an Observer takes for a violation. The zero value is what the documents promise.
type Options struct {
	// Since is from when on audit logs are read. Default: now.
	Since time.Time
	// Operators are the operator's names in audit logs. Default: fleet.OperatorUser.
	Operators []string
	// SupervisorID is the operator's --supervisor-id. Default: the UID of the supervisor's kube-system.
	SupervisorID string
	// Operating says whether an operator runs now, so that it is not expected to act while it does
	// not. It is asked often and must not wait. Default: always.
	Operating func() bool
	// Skew is how far events of different sources may be apart in time. Default: 1 second.
	Skew time.Duration
	// Grace is how long the operator may take, once it can act, to stop what a restored etcd brought
	// back. Default: 1 minute.
	Grace time.Duration
	// Quiet is how long Converged watches for calls at rest. Default: 30 seconds.
	Quiet time.Duration
	// CallsPerMinute are the most calls within a minute for one Machine. Default: 240.
	CallsPerMinute int
}

func (o Options) complete() Options {
	if o.Since.IsZero() {
		o.Since = time.Now()
	}
	if len(o.Operators) == 0 {
		o.Operators = []string{fleet.OperatorUser}
	}
	if o.Operating == nil {
		o.Operating = func() bool { return true }
	}
	if o.Skew == 0 {
		o.Skew = time.Second
	}
	if o.Grace == 0 {
		o.Grace = time.Minute
	}
	if o.Quiet == 0 {
		o.Quiet = 30 * time.Second
	}
	if o.CallsPerMinute == 0 {
		o.CallsPerMinute = 240
	}
	return o
}

// Observer watches a fleet. Its methods are safe for concurrent use.
type Observer struct {
	options     Options
	clusterUIDs map[string]string
	history     *lockedHistory

	end       context.CancelFunc
	following sync.WaitGroup

	checking sync.Mutex // one Check at a time
	tails    map[string]*audit.Tail
	told     map[string]bool
}

// New starts to follow all clusters of a fleet, and returns when everything was listed once. The
// fleet must write audit logs. It follows until Close, whatever becomes of ctx.
func New(ctx context.Context, f *fleet.Fleet, options Options) (*Observer, error) {
	o := &Observer{options: options.complete(), clusterUIDs: map[string]string{}, tails: map[string]*audit.Tail{},
		told: map[string]bool{}}
	followers, err := o.prepare(ctx, f)
	if err != nil {
		return nil, err
	}
	following, end := context.WithCancel(context.WithoutCancel(ctx))
	o.end = end
	o.following.Go(func() { o.sample(following, f) })
	for _, follower := range followers {
		o.following.Go(func() { follower.run(following) })
	}
	listed := func(context.Context) (bool, error) { return o.history.listedAll(), nil }
	if err := wait.PollUntilContextCancel(ctx, pause, true, listed); err != nil {
		o.Close()
		return nil, fmt.Errorf("listing everything once: %w", err)
	}
	return o, nil
}

// prepare makes a follower for each kind that a cluster serves.
func (o *Observer) prepare(ctx context.Context, f *fleet.Fleet) ([]follower, error) {
	var followers []follower
	var places []place
	for _, c := range f.Clusters() {
		if c.ControlPlane.AuditLog() == "" {
			return nil, fmt.Errorf("%s writes no audit log: start the fleet with Audit", c.Name)
		}
		o.tails[c.Name] = audit.NewTail(c.ControlPlane.AuditLog())
		dynamicClient, err := dynamic.NewForConfig(c.ControlPlane.Config())
		if err != nil {
			return nil, err
		}
		system, err := dynamicClient.Resource(schema.GroupVersionResource{Version: "v1", Resource: namespaces}).
			Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
		if err != nil {
			return nil, fmt.Errorf("the identity of %s: %w", c.Name, err)
		}
		o.clusterUIDs[c.Name] = string(system.GetUID())
		kinds := followedRemotely()
		if c.Name == fleet.Supervisor {
			kinds = followedInSupervisor()
		}
		for _, kind := range kinds {
			if _, err := dynamicClient.Resource(kind).List(ctx, metav1.ListOptions{Limit: 1}); err != nil {
				return nil, fmt.Errorf("%s of %s: %w", kind.Resource, c.Name, err)
			}
			followers = append(followers, follower{cluster: c.Name, resource: kind, client: dynamicClient})
			places = append(places, place{c.Name, kind.Resource})
		}
	}
	o.history = newHistory(places, time.Now())
	for i := range followers {
		followers[i].history = o.history
	}
	return followers, nil
}

// sample notes again and again which clusters are in trouble.
func (o *Observer) sample(ctx context.Context, f *fleet.Fleet) {
	ticker := time.NewTicker(samplePause)
	defer ticker.Stop()
	for {
		o.history.sample(f, o.options.Operating(), time.Now())
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// Close ends the following. It waits until that has ended.
func (o *Observer) Close() {
	o.end()
	o.following.Wait()
}

// Excuse takes what a person did out of the violations: those of some invariants, or of all where
// none is named, that are about the object or the Machine of a UID.
func (o *Observer) Excuse(reason string, uid types.UID, invariants ...string) {
	o.history.mu.Lock()
	defer o.history.mu.Unlock()
	o.history.excuses = append(o.history.excuses, excuse{reason: reason, uid: uid, invariants: invariants})
}

// Persons tells of an object of a cluster that a person made: the operator must never write it. A
// VirtualMachine that the operator's user did not create is a person's without being told.
func (o *Observer) Persons(_ string, uid types.UID) {
	o.history.mu.Lock()
	defer o.history.mu.Unlock()
	o.history.persons[uid] = true
}

// Trouble tells that a cluster does not serve the operator as it should for a reason that neither its
// state nor its proxy shows, such as a webhook that refuses or a Secret that is broken, until the
// function is called that it returns. silent says that the operator gets no authorised answer.
func (o *Observer) Trouble(cluster string, silent bool) (over func()) {
	o.history.mu.Lock()
	defer o.history.mu.Unlock()
	number := len(o.history.declared)
	o.history.declared = append(o.history.declared, declared{cluster: cluster, trouble: trouble{
		span: span{From: time.Now()}, Silent: silent}})
	return sync.OnceFunc(func() {
		o.history.mu.Lock()
		defer o.history.mu.Unlock()
		o.history.declared[number].Until = time.Now()
	})
}

// Check returns what broke an invariant and was not returned before. What happened within the last
// two Skews may be judged by the next Check only; see Last. An error means that an audit log could not be read.
func (o *Observer) Check(ctx context.Context) ([]Violation, error) {
	o.checking.Lock()
	defer o.checking.Unlock()
	now, err := o.look(ctx)
	if err != nil {
		return nil, err
	}
	var found []Violation
	for _, each := range rules() {
		found = append(found, each(now)...)
	}
	return o.fresh(found), nil
}

// Last waits until everything that was done before can be judged, and Checks.
func (o *Observer) Last(ctx context.Context) ([]Violation, error) {
	timer := time.NewTimer(2*o.options.Skew + samplePause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
	return o.Check(ctx)
}

// unexcused returns the violations that no excuse covers.
func (o *Observer) unexcused(found []Violation) []Violation {
	o.history.mu.Lock()
	excuses := slices.Clone(o.history.excuses)
	o.history.mu.Unlock()
	return unexcused(found, excuses)
}

// fresh returns the violations that are not excused and were not returned before.
func (o *Observer) fresh(found []Violation) []Violation {
	var all []Violation
	for _, v := range o.unexcused(found) {
		if !o.told[v.key()] {
			o.told[v.key()] = true
			all = append(all, v)
		}
	}
	return all
}

// look returns what was seen, with the calls that are old enough to be judged: once.
func (o *Observer) look(ctx context.Context) (seen, error) {
	if err := o.readOn(ctx); err != nil {
		return seen{}, err
	}
	calls := o.history.settled(time.Now().Add(-2 * o.options.Skew))
	s := o.seen()
	s.calls = calls
	return s, nil
}

// lookOnly returns what was seen, and leaves the calls to the next Check.
func (o *Observer) lookOnly(ctx context.Context) (seen, error) {
	if err := o.readOn(ctx); err != nil {
		return seen{}, err
	}
	return o.seen(), nil
}

func (o *Observer) seen() seen {
	s := o.history.snapshot(time.Now())
	s.options, s.clusterUIDs = o.options, o.clusterUIDs
	return s
}

// readOn reads on in the audit logs.
func (o *Observer) readOn(ctx context.Context) error {
	var errs []error
	for cluster, tail := range o.tails {
		calls, err := tail.Next(audit.Filter{Since: o.options.Since})
		errs = append(errs, err)
		o.history.called(cluster, calls, o.options, time.Now())
	}
	return errors.Join(append(errs, ctx.Err())...)
}

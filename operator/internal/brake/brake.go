package brake

import (
	"context"
	"fmt"
	"maps"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"

	vitistackv1alpha1 "github.com/vitistack/kubevirt-multicluster/api/v1alpha1"
)

// Options are what a Brake needs.
type Options struct {
	// Rule says how many may go. The zero Rule lets all go.
	Rule Rule
	// Cache is the supervisor's: it has the Machines, the KubevirtConfigs and the metadata of namespaces.
	Cache client.Reader
	// Book is where it is written what was let go and what was kept.
	Book Book
	// Clock is by default the real one.
	Clock clock.PassiveClock
}

// Brake counts what is let go, and holds what would be too many. It is safe for concurrent use.
type Brake struct {
	options Options

	mu     sync.Mutex
	locked lockedState
}

type lockedState struct {
	loaded bool // the Book was read
	kinds  map[Kind]*counted
	bites  map[bite]time.Time // when a Scope held last
	tally  *tally
	keeps  map[types.NamespacedName]Keep
}

type bite struct {
	kind  Kind
	scope Scope
}

// New returns a Brake. It does no I/O.
func New(options Options) *Brake {
	if options.Clock == nil {
		options.Clock = clock.RealClock{}
	}
	b := &Brake{options: options}
	b.locked.bites = map[bite]time.Time{}
	b.locked.keeps = map[types.NamespacedName]Keep{}
	b.locked.kinds = map[Kind]*counted{}
	for _, kind := range []Kind{Deletion, Change, Restart} {
		b.locked.kinds[kind] = &counted{letGo: map[types.UID]Entry{}, waiting: map[types.NamespacedName]waiter{},
			past: map[string]any{}}
	}
	return b
}

// Question is whether something may be done to a Machine.
type Question struct {
	Kind    Kind
	Machine *vitistackv1alpha1.Machine
	// Config is the KubevirtConfig of the Machine's cluster.
	Config string
	// Held says that the Machine's status says that it is held.
	Held bool
}

// Reply is a Verdict, and what is to be told of it.
type Reply struct {
	Verdict
	// Bit says that this Scope held none before: people are told once.
	Bit bool
	// Wrong says what is wrong with the words of a person who tried to let it go, "" for nothing.
	Wrong string
}

// Ask asks whether something may be done. What is let go without a person is written into the Book
// before Ask returns. The errors are the supervisor's.
func (b *Brake) Ask(ctx context.Context, q Question) (Reply, error) {
	if b == nil || b.options.Rule.IsOff() {
		return Reply{Verdict: Verdict{Is: Go}}, nil
	}
	now := b.options.Clock.Now()
	consent := b.consent(ctx, q.Kind, now)
	given, wrong := consent.of(ctx, q.Machine, q.Config)
	if given {
		b.Withdraw(q.Kind, client.ObjectKeyFromObject(q.Machine))
		return Reply{Verdict: Verdict{Is: Go}}, nil
	}
	if err := b.load(ctx); err != nil {
		return Reply{}, fmt.Errorf("reading what was let go: %w", err)
	}
	if err := b.look(ctx, q, now); err != nil {
		return Reply{}, fmt.Errorf("counting Machines: %w", err)
	}
	reply, entries := b.answer(q, now)
	reply.Wrong = wrong
	if len(entries) > 0 {
		if err := b.options.Book.entries().Set(ctx, entries); err != nil {
			return Reply{}, fmt.Errorf("writing down what was let go: %w", err)
		}
		b.written(q, entries)
	}
	return reply, nil
}

// load reads the Book, once.
func (b *Brake) load(ctx context.Context) error {
	b.mu.Lock()
	loaded := b.locked.loaded
	b.mu.Unlock()
	if loaded {
		return nil
	}
	return b.reload(ctx)
}

func (b *Brake) reload(ctx context.Context) error {
	page, err := b.options.Book.read(ctx)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for uid, entry := range page.letGo {
		if _, known := b.locked.kinds[Deletion].letGo[uid]; !known {
			entry.written = true
			b.locked.kinds[Deletion].letGo[uid] = entry
		}
	}
	b.locked.keeps = page.keeps
	b.locked.loaded = true
	return nil
}

// look takes a new tally where the last one is old, or does not know who asks.
func (b *Brake) look(ctx context.Context, q Question, now time.Time) error {
	key := client.ObjectKeyFromObject(q.Machine)
	b.mu.Lock()
	last := b.locked.tally
	known := q.Kind != Deletion
	if last != nil && !known {
		_, known = last.going[key]
	}
	b.mu.Unlock()
	if last != nil && known && now.Sub(last.at) < tallyAge && !now.Before(last.at) {
		return nil
	}
	next, err := b.tally(ctx, now)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if newest := b.locked.tally; newest != nil && next.at.Before(newest.at) {
		return nil // somebody else has read the cache since
	}
	b.locked.tally = next
	b.locked.kinds[Deletion].follow(next)
	return nil
}

// answer decides, and takes down what was decided. entries are to be written into the Book.
func (b *Brake) answer(q Question, now time.Time) (reply Reply, entries map[string]any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	kind, key := b.locked.kinds[q.Kind], client.ObjectKeyFromObject(q.Machine)
	kind.expire(now, b.options.Rule.Window)
	gone, was := kind.letGo[q.Machine.UID]
	if was && (gone.written || !b.locked.matters(q, b.options.Rule)) {
		return reply, nil
	}
	self, asked := kind.waiting[key]
	if !asked || self.uid != q.Machine.UID {
		self = waiter{uid: q.Machine.UID, since: now}
	}
	self.config = q.Config
	if q.Held && self.held.IsZero() {
		self.held = now
	}
	if !was {
		kind.waiting[key] = self
	}
	facts := Facts{LetGo: was, Held: !self.held.IsZero(), Waited: now.Sub(self.since),
		Counts: b.locked.counts(q, now, b.options.Rule.Window)}
	reply.Verdict = b.options.Rule.Decide(facts)
	switch reply.Is {
	case Held:
		if self.held.IsZero() {
			self.held = now
			reply.Bit = b.locked.bitesAnew(bite{q.Kind, reply.Scope}, now, b.options.Rule.Window)
		}
		kind.waiting[key] = self
	case Go:
		delete(kind.waiting, key)
		entry := Entry{At: now, Config: q.Config, Namespace: q.Machine.Namespace}
		kind.letGo[q.Machine.UID] = entry
		if q.Kind == Deletion && b.locked.matters(q, b.options.Rule) {
			entries = maps.Clone(kind.past)
			entries[string(q.Machine.UID)] = entry.String()
		}
	}
	return reply, entries
}

// written notes that a Machine that was let go stands in the Book.
func (b *Brake) written(q Question, entries map[string]any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for key := range entries {
		delete(b.locked.kinds[q.Kind].past, key)
	}
	if entry, found := b.locked.kinds[q.Kind].letGo[q.Machine.UID]; found {
		entry.written = true
		b.locked.kinds[q.Kind].letGo[q.Machine.UID] = entry
	}
}

// Withdraw takes back what a Machine asked for: it was let go by a person, or does not want it any
// more.
func (b *Brake) Withdraw(kind Kind, key types.NamespacedName) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.locked.kinds[kind].waiting, key)
}

// Rule is the one that the Brake goes by.
func (b *Brake) Rule() Rule { return b.options.Rule }

// Waiting are the Machines in a Scope that ask or are held: they are to be woken when a person has let
// go.
func (b *Brake) Waiting(scope Scope) []types.NamespacedName {
	if b == nil {
		return nil
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var keys []types.NamespacedName
	for _, kind := range b.locked.kinds {
		for key, each := range kind.waiting {
			if scope.has(each.config, key.Namespace) {
				keys = append(keys, key)
			}
		}
	}
	return keys
}

package placementtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

// Repeats is how often the suite puts the same question.
const Repeats = 100

// deadline is how long one answer may take: far more than any strategy needs.
const deadline = 10 * time.Second

// Run puts the suite's own requests to the strategy and fails t where an answer breaks the
// contract. It takes standard output for itself while it runs: no test that runs in parallel may
// write there. It configures nothing: see RunConfigs.
func Run(t *testing.T, strategy placement.Strategy) {
	t.Helper()
	RunRequests(t, strategy, Requests())
}

// RunRequests is Run on requests of one's own, each with a name. Each runs as a subtest.
func RunRequests(t *testing.T, strategy placement.Strategy, requests map[string]placement.Request) {
	t.Helper()
	for name, req := range requests {
		t.Run(name, func(t *testing.T) {
			for _, law := range laws {
				t.Run(law.name, func(t *testing.T) { law.check(t, strategy, clone(req)) })
			}
		})
	}
	t.Run("Constants", func(t *testing.T) { constants(t, strategy) })
	t.Run("Configuration", func(t *testing.T) { configuration(t, strategy) })
	t.Run("Deadline", func(t *testing.T) { honoursDeadline(t, strategy) })
}

// laws hold for every request.
var laws = []struct {
	name  string
	check func(t *testing.T, strategy placement.Strategy, req placement.Request)
}{
	{"IsAnAnswer", isAnAnswer},
	{"IsDeterministic", isDeterministic},
	{"IgnoresOrder", ignoresOrder},
	{"MutatesNothing", mutatesNothing},
	{"UnreachableIsNotAbsent", unreachableIsNotAbsent},
	{"NotAskedIsNotAbsent", notAskedIsNotAbsent},
	{"ReadsWhatItNeeds", readsWhatItNeeds},
	{"IsSafeForConcurrentUse", isSafeForConcurrentUse},
	{"KeepsStdoutClean", keepsStdoutClean},
}

// An answer is what can be compared of what a strategy returned.
type answer struct {
	decision placement.Decision
	kind     string // "", "refusal", "hold" or "failure"
	reason   string
	text     string
	retry    time.Duration
}

// String shows the answer in a test's output.
func (a answer) String() string {
	if a.kind != "" {
		return fmt.Sprintf("%s %s: %s", a.kind, a.reason, a.text)
	}
	if a.decision.Config == "" {
		return fmt.Sprintf("no opinion (%s)", a.decision.Reason)
	}
	return fmt.Sprintf("decision %s (%s)", a.decision.Config, a.decision.Reason)
}

// same reports whether two answers have the same effect, whatever their words.
func (a answer) same(b answer) bool {
	return a.kind == b.kind && a.reason == b.reason && a.decision.Config == b.decision.Config
}

func ask(ctx context.Context, strategy placement.Strategy, req placement.Request) answer {
	ctx, cancel := context.WithTimeout(ctx, deadline)
	defer cancel()
	decision, err := strategy.Place(ctx, req)
	if refusal, ok := placement.AsRefusal(err); ok {
		return answer{kind: "refusal", reason: refusal.Reason, text: refusal.Message}
	}
	if hold, ok := placement.AsHold(err); ok {
		return answer{kind: "hold", reason: hold.Reason, text: hold.Message, retry: hold.RetryAfter}
	}
	if err != nil {
		return answer{kind: "failure", text: err.Error()}
	}
	return answer{decision: decision}
}

func isAnAnswer(t *testing.T, strategy placement.Strategy, req placement.Request) {
	got := ask(t.Context(), strategy, req)
	if got.kind == "failure" {
		t.Errorf("a valid request got a failure, which is no answer: %s", got.text)
	}
	if (got.kind == "refusal" || got.kind == "hold") && (got.reason == "" || got.text == "") {
		t.Errorf("a person needs both a reason and a message: %v", got)
	}
	if got.retry < 0 {
		t.Errorf("retry after %v is in the past", got.retry)
	}
}

func isDeterministic(t *testing.T, strategy placement.Strategy, req placement.Request) {
	first := ask(t.Context(), strategy, req)
	for range Repeats {
		if again := ask(t.Context(), strategy, req); again != first {
			t.Fatalf("the same request got two answers:\n%v\n%v", first, again)
		}
	}
}

func ignoresOrder(t *testing.T, strategy placement.Strategy, req placement.Request) {
	first := ask(t.Context(), strategy, req)
	random := rand.New(rand.NewPCG(1, 2))
	for range 10 {
		shuffled := clone(req)
		random.Shuffle(len(shuffled.Candidates), func(i, j int) {
			shuffled.Candidates[i], shuffled.Candidates[j] = shuffled.Candidates[j], shuffled.Candidates[i]
		})
		if again := ask(t.Context(), strategy, shuffled); again != first {
			t.Fatalf("the order of the candidates changed the answer:\n%v\n%v", first, again)
		}
	}
}

func mutatesNothing(t *testing.T, strategy placement.Strategy, req placement.Request) {
	before, given := clone(req), clone(req)
	ask(t.Context(), strategy, given)
	if !equal(before, given) {
		t.Errorf("the strategy changed its request:\nbefore %+v\nafter  %+v", before, given)
	}
}

// unreachableIsNotAbsent takes the answer of one cluster away. Where it matters whether the
// VirtualMachine is there, the strategy must not answer as if it were not: it may hold or refuse.
// The exception is a VirtualMachine with our UID in another cluster, which is an answer for all.
func unreachableIsNotAbsent(t *testing.T, strategy placement.Strategy, req placement.Request) {
	silence(t, strategy, req, placement.VM{Presence: placement.Unreachable, Cause: "no route to host"})
}

func notAskedIsNotAbsent(t *testing.T, strategy placement.Strategy, req placement.Request) {
	silence(t, strategy, req, placement.VM{})
}

func silence(t *testing.T, strategy placement.Strategy, req placement.Request, silent placement.VM) {
	for _, i := range sample(len(req.Candidates)) {
		with := func(vm placement.VM) answer {
			changed := clone(req)
			changed.Candidates[i].VM = vm
			return ask(t.Context(), strategy, changed)
		}
		absent := with(placement.VM{Presence: placement.Absent})
		present := with(placement.VM{Presence: placement.Present, Owner: placement.Ours, UID: "vm"})
		unknown := with(silent)
		switch {
		case !strategy.Needs().Presence && (!absent.same(present) || !absent.same(unknown)):
			t.Fatalf("the answer depends on presence, which Needs() does not ask for:\n%v\n%v\n%v", absent, present, unknown)
		case !absent.same(present) && unknown.same(absent) && unknown.kind == "" && !oursElsewhere(req, i):
			t.Fatalf("%v of %q was read as absence: %v", silent.Presence, req.Candidates[i].Name, unknown)
		}
	}
}

// readsWhatItNeeds takes the facts away that the strategy does not ask for, or says that it does
// not read. Presence has laws of its own.
func readsWhatItNeeds(t *testing.T, strategy placement.Strategy, req placement.Request) {
	needs, bare := strategy.Needs(), clone(req)
	for i := range bare.Candidates {
		c := &bare.Candidates[i]
		if needs.NoLabels {
			c.Labels = nil
		}
		if !needs.Capacity {
			c.Capacity.Free = placement.Resources{}
		}
		if !needs.Capacity && !needs.Machines {
			c.Capacity.Machines = nil
		}
		if !needs.Ready {
			c.Ready = placement.Ready{}
		}
	}
	if with, without := ask(t.Context(), strategy, req), ask(t.Context(), strategy, bare); with != without {
		t.Errorf("the answer depends on facts that Needs() does not ask for:\n%v\n%v", with, without)
	}
}

func oursElsewhere(req placement.Request, here int) bool {
	for i, c := range req.Candidates {
		if i != here && c.VM.Presence == placement.Present && c.VM.Owner == placement.Ours {
			return true
		}
	}
	return false
}

func isSafeForConcurrentUse(t *testing.T, strategy placement.Strategy, req placement.Request) {
	first := ask(t.Context(), strategy, req)
	answers := make(chan answer)
	const callers = 8
	for range callers {
		go func() { answers <- ask(t.Context(), strategy, clone(req)) }()
	}
	for range callers {
		if again := <-answers; again != first {
			t.Errorf("concurrent callers got two answers:\n%v\n%v", first, again)
		}
	}
}

func constants(t *testing.T, strategy placement.Strategy) {
	name, needs := strategy.Name(), strategy.Needs()
	if name == "" {
		t.Error("the strategy has no name")
	}
	for range Repeats {
		if strategy.Name() != name || strategy.Needs() != needs {
			t.Fatal("Name() and Needs() must be constant")
		}
	}
}

// honoursDeadline asks with a context that has ended: any answer will do, but it must come.
func honoursDeadline(t *testing.T, strategy placement.Strategy) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = strategy.Place(ctx, manyCandidates(Large))
	}()
	select {
	case <-done:
	case <-time.After(deadline):
		t.Errorf("the strategy did not return within %v after its context had ended", deadline)
	}
}

// sample is up to ten indexes out of n: the first, the last and some between.
func sample(n int) []int {
	step := max(1, n/10)
	var indexes []int
	for i := 0; i < n; i += step {
		indexes = append(indexes, i)
	}
	if n > 0 && !slices.Contains(indexes, n-1) {
		indexes = append(indexes, n-1)
	}
	return indexes
}

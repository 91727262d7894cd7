package placement_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

var errBroken = errors.New("broken pipe")

// says is a strategy that always gives the same answer.
func says(name string, decision placement.Decision, err error) placement.Strategy {
	return placement.NewFunc(
		name, placement.Needs{},
		func(context.Context, placement.Request) (placement.Decision, error) {
			return decision, err
		},
	)
}

func candidates(names ...string) []placement.Candidate {
	var all []placement.Candidate
	for _, name := range names {
		all = append(all, placement.Candidate{Name: name, Reachable: true})
	}
	return all
}

func request(names ...string) placement.Request {
	return placement.Request{
		Machine:         placement.Machine{Namespace: "ns", Name: "n", UID: "u1"},
		Candidates:      candidates(names...),
		ConfigNamespace: "kubevirt-configs",
	}
}

func asking(ref placement.Reference, names ...string) placement.Request {
	req := request(names...)
	req.Machine.Reference = ref
	return req
}

func TestChainPlace(t *testing.T) {
	var (
		silent  = says("silent", placement.Decision{Reason: "nothing to say"}, nil)
		west    = says("west", placement.Decision{Config: "west", Reason: "likes west"}, nil)
		nowhere = says("nowhere", placement.Decision{Config: "nowhere"}, nil)
		broken  = says("broken", placement.Decision{Config: "west"}, errBroken)
		holds   = says(
			"holds", placement.Decision{}, placement.Hold{Reason: "Later", Message: "later", RetryAfter: time.Minute},
		)
		refuses = says("refuses", placement.Decision{}, &placement.Refusal{Reason: "Never"})
	)
	heldBy := func(message string) placement.Hold {
		return placement.Hold{
			Reason:     placement.ReasonStrategyUnavailable,
			Message:    message,
			RetryAfter: 5 * time.Second,
			Cause:      errBroken,
		}
	}
	cases := map[string]struct {
		reason string
		chain  placement.Chain
		req    placement.Request
		want   placement.Decision
		trace  string
		err    error
	}{
		"second of three strategies decides": {
			reason: "the first decision wins, later strategies are not asked, and the trace has a line for each",
			chain:  placement.Chain{{Strategy: silent}, {Strategy: west}, {Strategy: refuses}},
			req:    request("east", "west"),
			want:   placement.Decision{Config: "west", Reason: "likes west"},
			trace:  "silent: NoOpinion (nothing to say); west: Placed west (likes west); refuses: NotReached",
		},
		"candidates come unsorted": {
			reason: "the chain sorts the candidates, so that strategies see them by name",
			chain: placement.Chain{{Strategy: placement.NewFunc("first", placement.Needs{},
				func(_ context.Context, req placement.Request) (placement.Decision, error) {
					return placement.Decision{Config: req.Candidates[0].Name}, nil
				})}},
			req:   request("west", "east"),
			want:  placement.Decision{Config: "east"},
			trace: "first: Placed east",
		},
		"strategy names a cluster that does not exist": {
			reason: "a name that does not exist ends the chain: no later strategy overrides what was meant",
			chain:  placement.Chain{{Strategy: nowhere}, {Strategy: west}},
			req:    request("west"),
			trace: `nowhere: Refused nowhere (UnknownCluster: KubevirtConfig nowhere not found in namespace kubevirt-configs ` +
				`(chosen by strategy "nowhere")); west: NotReached`,
			err: placement.Refusal{
				Reason:  placement.ReasonUnknownCluster,
				Message: `KubevirtConfig nowhere not found in namespace kubevirt-configs (chosen by strategy "nowhere")`,
			},
		},
		"strategy holds": {
			reason: "a hold ends the chain, and reaches the caller unchanged",
			chain:  placement.Chain{{Strategy: holds}, {Strategy: west}},
			req:    request("west"),
			trace:  "holds: Held (Later: later); west: NotReached",
			err:    placement.Hold{Reason: "Later", Message: "later", RetryAfter: time.Minute},
		},
		"strategy refuses with a pointer": {
			reason: "an author who writes &Refusal{} means a refusal and not a failure",
			chain:  placement.Chain{{Strategy: refuses, OnError: placement.SkipOnError}, {Strategy: west}},
			req:    request("west"),
			trace:  "refuses: Refused (Never: Never); west: NotReached",
			err:    &placement.Refusal{Reason: "Never"},
		},
		"strategy fails and its policy is hold": {
			reason: "a failure is no answer: by default the Machine waits, even if the failed strategy also named a cluster",
			chain:  placement.Chain{{Strategy: broken}, {Strategy: west}},
			req:    request("west"),
			trace:  "broken: Failed (broken pipe); west: NotReached",
			err:    heldBy(`strategy "broken" gave no answer: broken pipe`),
		},
		"strategy fails and its policy is skip": {
			reason: "the policy skip treats a failure as no opinion",
			chain:  placement.Chain{{Strategy: broken, OnError: placement.SkipOnError}, {Strategy: west}},
			req:    request("west"),
			want:   placement.Decision{Config: "west", Reason: "likes west"},
			trace:  "broken: Failed (broken pipe); west: Placed west (likes west)",
		},
		"strategy fails and its policy is refuse": {
			reason: "the policy refuse asks for a person after a failure",
			chain:  placement.Chain{{Strategy: broken, OnError: placement.RefuseOnError}},
			req:    request("west"),
			trace:  "broken: Failed (broken pipe)",
			err: placement.Refusal{
				Reason: placement.ReasonStrategyFailed, Message: `strategy "broken" gave no answer: broken pipe`, Cause: errBroken,
			},
		},
		"strategy contradicts the reference": {
			reason: "a chain without the annotation strategy must not place a Machine elsewhere than it asks",
			chain:  placement.Chain{{Strategy: west}},
			req:    asking(placement.Reference{Annotation: "east"}, "east", "west"),
			trace: `west: Refused west (ReferenceOverruled: machine ns/n names KubevirtConfig "east", ` +
				`but strategy "west" chose "west")`,
			err: placement.Refusal{
				Reason:  placement.ReasonReferenceOverruled,
				Message: `machine ns/n names KubevirtConfig "east", but strategy "west" chose "west"`,
			},
		},
		"annotation strategy is skipped and another contradicts the reference": {
			reason: "a crashed annotation strategy with the policy skip must not send the Machine to the default cluster",
			chain:  placement.Chain{{Strategy: broken, OnError: placement.SkipOnError}, {Strategy: west}},
			req:    asking(placement.Reference{Annotation: "east"}, "east", "west"),
			trace: `broken: Failed (broken pipe); ` +
				`west: Held west (StrategyUnavailable: machine ns/n names KubevirtConfig "east", ` +
				`but strategy "west" chose "west")`,
			err: heldBy(`machine ns/n names KubevirtConfig "east", but strategy "west" chose "west"`),
		},
		"no KubevirtConfig exists": {
			reason: "people search for this sentence of the specification, so its words stay",
			chain:  placement.Chain{{Strategy: silent}},
			req:    request(),
			trace:  "silent: NoOpinion (nothing to say)",
			err: placement.Refusal{
				Reason: placement.ReasonNoneAvailable,
				Message: "machine ns/n has no KubevirtConfig reference and no KubevirtConfigs are available " +
					"in namespace kubevirt-configs",
			},
		},
		"several clusters and no opinion": {
			reason: "people search for this sentence of the specification, so its words stay",
			chain:  placement.Chain{{Strategy: silent}},
			req:    request("a", "b", "c"),
			trace:  "silent: NoOpinion (nothing to say)",
			err: placement.Refusal{
				Reason: placement.ReasonCannotDetermine,
				Message: "machine ns/n has no KubevirtConfig reference and 3 configs are available - cannot determine placement. " +
					"Please set annotation 'vitistack.io/kubevirt-config' or DEFAULT_KUBEVIRT_CONFIG env var",
			},
		},
		"candidate is listed twice": {
			reason: "a host that lists a cluster twice has a bug, so no strategy is asked",
			chain:  placement.Chain{{Strategy: west}},
			req:    request("west", "west"),
			err:    cmpopts.AnyError,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, trace, err := tc.chain.Place(t.Context(), placement.Given(tc.req))
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nPlace(): -want decision, +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.trace, trace.String()); diff != "" {
				t.Errorf("\n%s\nPlace(): -want trace, +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.err, err, compareErrors); diff != "" {
				t.Errorf("\n%s\nPlace(): -want error, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// compareErrors compares refusals and holds field by field, other errors by errors.Is.
var compareErrors = cmp.FilterValues(func(a, b any) bool { return !answer(a) && !answer(b) }, cmpopts.EquateErrors())

func answer(value any) bool {
	err, _ := value.(error)
	_, refused := placement.AsRefusal(err)
	_, held := placement.AsHold(err)
	return refused || held
}

func TestChainStopsWithItsContext(t *testing.T) {
	stopped := errors.New("shutting down")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stopped)
	waits := placement.NewFunc(
		"waits", placement.Needs{},
		func(ctx context.Context, _ placement.Request) (placement.Decision, error) {
			<-ctx.Done()
			return placement.Decision{}, ctx.Err()
		},
	)
	chain := placement.Chain{{Strategy: waits, OnError: placement.RefuseOnError}}
	_, _, err := chain.Place(ctx, placement.Given(request("west")))
	if !errors.Is(err, stopped) || answer(err) {
		t.Errorf("Place() with an ended context: want the context's cause and no refusal, got %v", err)
	}
}

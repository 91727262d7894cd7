package placement_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/placement"
)

// starting is a strategy that is up once it is waited for, as a plugin is. Before, it is not known
// to need anything.
type starting struct {
	placement.Strategy
	err error // why it does not come up
}

func (starting) Needs() placement.Needs { return placement.Needs{} }

func (s starting) Started(context.Context) (placement.Strategy, error) { return s.Strategy, s.err }

// needing is a strategy that goes west if it sees what it needs.
func needing(name string, needs placement.Needs, sees func(placement.Candidate) bool) placement.Strategy {
	return placement.NewFunc(name, needs, func(_ context.Context, req placement.Request) (placement.Decision, error) {
		for _, c := range req.Candidates {
			if !sees(c) {
				return placement.Decision{}, errors.New("it was asked without what it needs")
			}
		}
		return placement.Decision{Config: "west"}, nil
	})
}

// gathering gathers what is needed, and takes down what was.
type gathering struct{ asked []placement.Needs }

func (g *gathering) gather(_ context.Context, needs placement.Needs) (placement.Request, error) {
	g.asked = append(g.asked, needs)
	req := request("east", "west")
	for i := range req.Candidates {
		if needs.Presence {
			req.Candidates[i].VM.Presence = placement.Absent
		}
		if needs.Machines {
			req.Candidates[i].Capacity.Machines = new(int64(1))
		}
	}
	return req, nil
}

func TestChainGathers(t *testing.T) {
	var (
		bare   = placement.Needs{NoLabels: true}
		silent = placement.NewFunc("silent", bare,
			func(context.Context, placement.Request) (placement.Decision, error) { return placement.Decision{}, nil })
		looks = placement.NewFunc("looks", placement.Needs{Presence: true, NoLabels: true},
			func(context.Context, placement.Request) (placement.Decision, error) { return placement.Decision{}, nil })
		explicit = placement.NewFunc("explicit", bare,
			func(context.Context, placement.Request) (placement.Decision, error) {
				return placement.Decision{Config: "east"}, nil
			})
		search = needing("search", placement.Needs{Presence: true, NoLabels: true},
			func(c placement.Candidate) bool { return c.VM.Presence == placement.Absent })
		counts = needing("counts", placement.Needs{Machines: true},
			func(c placement.Candidate) bool { return c.Capacity.Machines != nil })
	)
	cases := map[string]struct {
		reason string
		chain  placement.Chain
		want   []placement.Needs
		config string
	}{
		"strategy that is up": {
			reason: "what a strategy needs is gathered before it is asked",
			chain:  placement.Chain{{Strategy: search}},
			want:   []placement.Needs{bare, {Presence: true, NoLabels: true}},
			config: "west",
		},
		"strategy that is starting": {
			reason: "what a strategy needs is known when it has come up, and is gathered then",
			chain:  placement.Chain{{Strategy: starting{Strategy: search}}},
			want:   []placement.Needs{bare, {Presence: true, NoLabels: true}},
			config: "west",
		},
		"two strategies of different needs": {
			reason: "facts that were gathered for one strategy are there for the next one as well",
			chain: placement.Chain{
				{Strategy: starting{Strategy: silent}}, {Strategy: looks}, {Strategy: starting{Strategy: counts}},
			},
			want:   []placement.Needs{bare, {Presence: true, NoLabels: true}, {Presence: true, Machines: true}},
			config: "west",
		},
		"earlier strategy decides": {
			reason: "no cluster is looked into for a strategy that is not reached",
			chain:  placement.Chain{{Strategy: explicit}, {Strategy: starting{Strategy: search}}},
			want:   []placement.Needs{bare},
			config: "east",
		},
		"strategy does not come up": {
			reason: "the needs of a strategy that fails are not known, so nothing is gathered for it",
			chain: placement.Chain{
				{Strategy: starting{Strategy: search, err: errBroken}, OnError: placement.SkipOnError}, {Strategy: explicit},
			},
			want:   []placement.Needs{bare},
			config: "east",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var facts gathering
			got, trace, err := tc.chain.Place(t.Context(), facts.gather)
			if err != nil || got.Config != tc.config {
				t.Errorf("\n%s\nPlace(): want %s, got %v, %v (%v)", tc.reason, tc.config, got, err, trace)
			}
			if diff := cmp.Diff(tc.want, facts.asked); diff != "" {
				t.Errorf("\n%s\nneeds: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestGatherFails holds that the error of a Gather is no strategy's.
func TestGatherFails(t *testing.T) {
	look := placement.NewFunc("look", placement.Needs{Presence: true}, nil)
	chain := placement.Chain{
		{Strategy: says("first", placement.Decision{}, nil)}, {Strategy: look, OnError: placement.SkipOnError},
	}
	_, trace, err := chain.Place(t.Context(), func(_ context.Context, needs placement.Needs) (placement.Request, error) {
		if needs.Presence {
			return placement.Request{}, errBroken
		}
		return request("east"), nil
	})
	if !errors.Is(err, errBroken) || answer(err) {
		t.Errorf("Place(): want the error of gather and no answer, got %v", err)
	}
	if diff := cmp.Diff("first: NoOpinion", trace.String()); diff != "" {
		t.Errorf("trace: -want, +got:\n%s", diff)
	}
}

// TestPresenceIsNotGuessed holds for a Gather that does not look though it is asked to.
func TestPresenceIsNotGuessed(t *testing.T) {
	asked := false
	look := needing("look", placement.Needs{Presence: true}, func(placement.Candidate) bool { asked = true; return true })
	_, _, err := placement.Chain{{Strategy: starting{Strategy: look}}}.Place(t.Context(), placement.Given(request("east")))
	if hold, held := placement.AsHold(err); !held || hold.Reason != placement.ReasonPresenceNotRequested || asked {
		t.Errorf("Place(): want a hold and no question, got %v (asked: %v)", err, asked)
	}
}

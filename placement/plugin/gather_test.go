package plugin_test

import (
	"context"
	"testing"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/plugin"
)

// looked gathers presence where it is needed, as the operator does.
func looked(_ context.Context, needs placement.Needs) (placement.Request, error) {
	req := request("east")
	if !needs.Presence {
		req.Candidates[0].VM = placement.VM{}
	}
	return req, nil
}

// TestFirstQuestionGetsItsFacts asks a plugin that needs presence while it is still starting: the
// host waits for it, then has the facts gathered that it needs, and asks it with them.
func TestFirstQuestionGetsItsFacts(t *testing.T) {
	opts := options(t, entry("presence"))
	opts.Limits.Call = patience
	host := start(t, opts)
	if got := state(host, "presence").State; got != plugin.Starting {
		t.Fatalf("the plugin is %s, want it starting", got)
	}
	got, trace, err := host.Place(t.Context(), looked)
	if err != nil || got.Config != "east" {
		t.Errorf("Place(): want east, got %v, %v (%v)", got, err, trace)
	}
}

// TestStrategyFollowsAnUpdate asks a plugin by its name, before and after another has the name.
func TestStrategyFollowsAnUpdate(t *testing.T) {
	host := start(t, options(t, zoned(named("a", "good"), "0")))
	strategy := host.Strategy("a")
	for _, zone := range []string{"0", "1"} {
		if err := host.Update(t.Context(), []plugin.Entry{zoned(named("a", "good"), zone)}); err != nil {
			t.Fatal(err)
		}
		if got, err := strategy.Place(t.Context(), request("east")); err != nil || got.Config != "east" {
			t.Errorf("Place() of zone %s: %v, %v", zone, got, err)
		}
	}
	if _, err := host.Strategy("b").Place(t.Context(), request("east")); err == nil {
		t.Error("a strategy that is not in the configuration has answered")
	}
}

package brake

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseRule(t *testing.T) {
	for text, want := range map[string]Rule{
		"10,30%,5m":  DefaultRule,
		"1,0%,1s":    {Number: 1, Window: time.Second},
		"5,100%,90s": {Number: 5, Percent: 100, Window: 90 * time.Second},
		"off":        {},
	} {
		rule, err := ParseRule(text)
		if err != nil || rule != want {
			t.Errorf("%s is read as %+v (%v)", text, rule, err)
		}
		if again, err := ParseRule(rule.String()); err != nil || again != rule {
			t.Errorf("%s is written as %s and read as %+v (%v)", text, rule, again, err)
		}
	}
	if DefaultRule.String() != "10,30%,5m" {
		t.Errorf("the default is shown as %s", DefaultRule)
	}
	for _, text := range []string{"", "on", "10", "10,30,5m", "0,30%,5m", "10,101%,5m", "10,-1%,5m", "10,30%,0s",
		"10,30%,5", "10,30%,5m,1", "x,30%,5m"} {
		if rule, err := ParseRule(text); err == nil {
			t.Errorf("%q is read as %s", text, rule)
		}
	}
}

func TestDecide(t *testing.T) {
	east, fleet := Scope{Of: Cluster, Name: "east"}, Scope{Of: Fleet}
	for name, tc := range map[string]struct {
		reason string
		rule   Rule
		facts  Facts
		want   Verdict
	}{
		"Alone": {
			reason: "A deletion that is alone goes at once, whatever its share is.",
			rule:   DefaultRule,
			facts:  Facts{Counts: []Count{{Scope: east, Total: 1, Waiting: 1}}},
		},
		"UpToTheNumber": {
			reason: "As many as the number may go, also where these are all that there are.",
			rule:   DefaultRule,
			facts:  Facts{Counts: []Count{{Scope: east, Total: 10, LetGo: 9, Waiting: 1}}},
		},
		"Burst": {
			reason: "The first of a burst that is seen at once is held already.",
			rule:   DefaultRule,
			facts:  Facts{Counts: []Count{{Scope: east, Total: 100, Waiting: 31}}},
			want:   Verdict{Is: Held, Scope: east},
		},
		"ShareAlone": {
			reason: "The share is what may go, and more than the share is too much.",
			rule:   DefaultRule,
			facts:  Facts{Counts: []Count{{Scope: east, Total: 100, LetGo: 10, Waiting: 20, Quiet: QuietTime}}},
		},
		"Settling": {
			reason: "Past the number nobody goes before it is quiet: more may be on their way.",
			rule:   DefaultRule,
			facts: Facts{Waited: time.Second,
				Counts: []Count{{Scope: east, Total: 100, LetGo: 10, Waiting: 1, Quiet: time.Second}}},
			want: Verdict{Is: Settle, After: QuietTime - time.Second},
		},
		"NeverQuiet": {
			reason: "Nobody waits longer than a minute for it to be quiet.",
			rule:   DefaultRule,
			facts: Facts{Waited: LongestSettle,
				Counts: []Count{{Scope: east, Total: 100, LetGo: 10, Waiting: 9, Quiet: time.Second}}},
		},
		"AnyScope": {
			reason: "One scope of which too many would go is enough.",
			rule:   DefaultRule,
			facts: Facts{Counts: []Count{{Scope: east, Total: 100, LetGo: 10, Waiting: 1},
				{Scope: fleet, Total: 30, LetGo: 10, Waiting: 1}}},
			want: Verdict{Is: Held, Scope: fleet},
		},
		"StaysHeld": {
			reason: "Who was held stays held, also where the others are gone.",
			rule:   DefaultRule,
			facts:  Facts{Held: true, Counts: []Count{{Scope: east, Total: 100, Waiting: 1, Quiet: time.Hour}}},
			want:   Verdict{Is: Held},
		},
		"Confirmed": {
			reason: "A person's word counts more than any number.",
			rule:   DefaultRule,
			facts:  Facts{Confirmed: true, Held: true, Counts: []Count{{Scope: east, Total: 100, Waiting: 100}}},
		},
		"LetGo": {
			reason: "Who was let go once is not asked again.",
			rule:   DefaultRule,
			facts:  Facts{LetGo: true, Counts: []Count{{Scope: east, Total: 100, Waiting: 100}}},
		},
		"Off": {
			reason: "Without a brake nobody is held, not even who was.",
			facts:  Facts{Held: true, Counts: []Count{{Scope: east, Total: 100, Waiting: 100}}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, tc.rule.Decide(tc.facts)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestConsents(t *testing.T) {
	now := time.Unix(2e9, 0)
	later, earlier := now.Add(time.Minute).UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339)
	for _, tc := range []struct {
		value               string
		forOne, given, told bool
	}{
		{value: "", forOne: true},
		{value: "true", forOne: true, given: true},
		{value: "true", told: true}, // for ever, for Machines that are yet to come
		{value: later, forOne: true, given: true},
		{value: later, given: true},
		{value: earlier, forOne: true},
		{value: earlier},
		{value: "yes", forOne: true, told: true},
		{value: "30m", told: true},
	} {
		given, wrong := consents(tc.value, tc.forOne, now)
		if given != tc.given || (wrong != "") != tc.told {
			t.Errorf("%q (for one: %t): given %t, %q", tc.value, tc.forOne, given, wrong)
		}
	}
}

package labels_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/placement"
	"github.com/vitistack/kubevirt-multicluster/placement/placementtest"

	"github.com/vitistack/kubevirt-multicluster/placement-plugins/internal/choice"
	"github.com/vitistack/kubevirt-multicluster/placement-plugins/labels"
)

func TestConformance(t *testing.T) {
	for _, config := range []string{"", `{"matchKeys":["zone"]}`} {
		s := &labels.Strategy{}
		if err := s.Configure([]byte(config)); err != nil {
			t.Fatal(err)
		}
		placementtest.Run(t, s)
	}
}

func TestPlace(t *testing.T) {
	cluster := func(name, zone, tier string, reachable bool, machines int64) placement.Candidate {
		return placement.Candidate{
			Name: name, Reachable: reachable, Labels: map[string]string{"zone": zone, "tier": tier},
			Capacity: placement.Capacity{Machines: &machines},
		}
	}
	cases := map[string]struct {
		reason   string
		config   string
		selector string
		zone     string // label of the Machine
		want     placement.Decision
		err      error
	}{
		"no wish": {
			reason: "a Machine that asks for no labels gets no opinion",
			zone:   "north",
			want:   placement.Decision{Reason: "the machine asks for no labels"},
		},
		"selector": {
			reason:   "a selector in the annotation chooses the clusters that match it",
			selector: "zone=south",
			want:     placement.Decision{Config: "c", Reason: "its labels are zone=south"},
		},
		"selector that several match": {
			reason:   "the cluster with the fewest Machines is taken of several that match",
			selector: "tier",
			want:     placement.Decision{Config: "b", Reason: "its labels are tier"},
		},
		"key that must match": {
			reason: "a key in matchKeys asks for the value that the Machine has",
			config: `{"matchKeys":["zone"]}`,
			zone:   "south",
			want:   placement.Decision{Config: "c", Reason: "its labels are zone=south"},
		},
		"selector and key": {
			reason: "all wishes of a Machine must be met",
			config: `{"matchKeys":["zone"]}`, zone: "north", selector: "tier!=gold",
			want: placement.Decision{Config: "b", Reason: "its labels are tier!=gold,zone=north"},
		},
		"selector that none matches": {
			reason: "a cluster without the labels is not what was asked for, so a person must act", selector: "zone=west",
			err: placement.Refusal{
				Reason:  labels.ReasonNoMatchingCluster,
				Message: "none of 4 KubevirtConfigs has the labels that machine ns/n asks for: zone=west",
			},
		},
		"cluster that matches is unreachable": {
			reason: "the Machine waits for the one cluster that matches", selector: "zone=east",
			err: placement.Hold{Reason: choice.ReasonNoCluster, Message: "none of 1 clusters fits machine ns/n: 1 unreachable"},
		},
		"selector that cannot be read": {
			reason: "a selector that is half understood must not be followed", selector: "zone in (north)",
			err: placement.Refusal{
				Reason: labels.ReasonSelectorInvalid,
				Message: `annotation placement.vitistack.io/cluster-selector of machine ns/n: ` +
					`"zone in (north)" is no requirement: want key=value, key!=value, key or !key`,
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := &labels.Strategy{}
			if err := s.Configure([]byte(tc.config)); err != nil {
				t.Fatal(err)
			}
			got, err := s.Place(t.Context(), placement.Request{
				Machine: placement.Machine{
					Namespace: "ns", Name: "n", UID: "u", Labels: map[string]string{"zone": tc.zone},
					Annotations: map[string]string{labels.SelectorAnnotation: tc.selector},
				},
				Candidates: []placement.Candidate{
					cluster("a", "north", "gold", true, 5),
					cluster("b", "north", "tin", true, 1),
					cluster("c", "south", "gold", true, 3),
					cluster("d", "east", "gold", false, 0),
				},
			})
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("\n%s\nPlace(): -want, +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.err, err); diff != "" {
				t.Errorf("\n%s\nPlace(): -want error, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestSelector(t *testing.T) {
	has := map[string]string{"zone": "north", "gpu": ""}
	cases := map[string]struct {
		text, again    string // again: "" means text
		matches, wrong bool
	}{
		"empty":                              {matches: true},
		"equal value":                        {text: "zone=north", matches: true},
		"two equal signs":                    {text: "zone == north", again: "zone=north", matches: true},
		"other value":                        {text: "zone=south"},
		"unequal values and a missing label": {text: "zone!=south,tier!=test", matches: true},
		"label exists":                       {text: "gpu", matches: true},
		"label must not exist":               {text: "!gpu"},
		"all are met":                        {text: "zone=north,!old,gpu", matches: true},
		"one is not met":                     {text: "zone=north,old"},
		"set of values":                      {text: "zone in (a,b)", wrong: true},
		"no key":                             {text: "=north", wrong: true},
		"nothing between commas":             {text: "zone=north,,gpu", wrong: true},
		"two values":                         {text: "a=b=c", wrong: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			selector, err := labels.ParseSelector(tc.text)
			if (err != nil) != tc.wrong {
				t.Fatalf("ParseSelector(%q): %v", tc.text, err)
			}
			if tc.wrong {
				return
			}
			if tc.again == "" {
				tc.again = tc.text
			}
			if selector.Matches(has) != tc.matches || selector.String() != tc.again {
				t.Errorf("%q: matches %t, as text %q", tc.text, selector.Matches(has), selector)
			}
		})
	}
}

func TestConfigure(t *testing.T) {
	cases := map[string]string{
		`{"matchKeys":["a",""]}`:  "matchKeys[1]",
		`{"matchKeys":["a/b/c"]}`: "matchKeys[0]",
		`{"matchKeys":"a"}`:       "matchKeys",
		`{"keys":[]}`:             "",
	}
	for config, field := range cases {
		violations, ok := errors.AsType[placement.Violations]((&labels.Strategy{}).Configure([]byte(config)))
		if !ok || len(violations) != 1 || violations[0].Field != field {
			t.Errorf("Configure(%s): want a violation of %q, got %v", config, field, violations)
		}
	}
}

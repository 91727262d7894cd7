package ignore_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/kubevirt-multicluster/crdcheck"
	"github.com/vitistack/kubevirt-multicluster/crdcheck/ignore"
)

func TestLoad(t *testing.T) {
	const rest = ", owner: me, reason: because, expires: '2026-12-31'}"
	cases := map[string]struct{ reason, entry, want string }{
		"Good":        {"one that is complete", "{rule: field-removed" + rest, ""},
		"Everything":  {"a file must not switch the program off", "{cluster: east" + rest, "matches everything"},
		"NoRule":      {"a rule that is misspelt would ignore nothing", "{rule: field-gone" + rest, `no rule "field-gone"`},
		"NoOwner":     {"somebody answers for it", "{rule: field-removed, reason: x, expires: '2026-12-31'}", "has no owner"},
		"NoReason":    {"and says why", "{rule: field-removed, owner: x, expires: '2026-12-31'}", "has no reason"},
		"NoEnd":       {"and not for ever", "{rule: field-removed, owner: x, reason: x}", "is not a day"},
		"UnknownKeys": {"a misspelt key would match more than was meant", "{rules: field-removed" + rest, "unknown field"},
	}
	for label, tc := range cases {
		t.Run(label, func(t *testing.T) {
			_, err := ignore.Load(strings.NewReader("ignores:\n- " + tc.entry))
			if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("%s: want %q, got %v", tc.reason, tc.want, err)
			}
		})
	}
}

func TestApply(t *testing.T) {
	at := func(path string) crdcheck.Finding {
		return crdcheck.Finding{
			Rule:      crdcheck.RuleFieldRemoved,
			CRD:       "a.b",
			Cluster:   "east",
			Path:      path,
			Direction: crdcheck.Write,
			Effect:    crdcheck.Drops,
		}
	}
	report := crdcheck.Report{Findings: []crdcheck.Finding{at("spec.x"), at("spec.x.y"), at("spec.xy"), at("status")}}
	cases := map[string]struct {
		reason string
		entry  ignore.Entry
		kept   []string
		notes  int
	}{
		"Path": {
			"one path is not what is below it",
			ignore.Entry{Path: "spec.x"},
			[]string{"spec.x.y", "spec.xy", "status"},
			0,
		},
		"Below": {"three dots are", ignore.Entry{Path: "spec.x..."}, []string{"spec.xy", "status"}, 0},
		"Rule":  {"a rule anywhere", ignore.Entry{Rule: "field-removed"}, nil, 0},
		"Elsewhere": {
			"another cluster; nothing matches, which is told",
			ignore.Entry{Rule: "field-removed", Cluster: "west"},
			[]string{"spec.x", "spec.x.y", "spec.xy", "status"},
			1,
		},
		"Fingerprint": {
			"one finding",
			ignore.Entry{Fingerprint: at("status").Fingerprint()},
			[]string{"spec.x", "spec.x.y", "spec.xy"},
			0,
		},
		"LastDay": {
			"the last day counts",
			ignore.Entry{Path: "status", Expires: "2026-06-15"},
			[]string{"spec.x", "spec.x.y", "spec.xy"},
			0,
		},
		"Over": {
			"what is over ignores nothing, and is told",
			ignore.Entry{Path: "status", Expires: "2026-06-14"},
			[]string{"spec.x", "spec.x.y", "spec.xy", "status"},
			1,
		},
	}
	for label, tc := range cases {
		t.Run(label, func(t *testing.T) {
			if tc.entry.Expires == "" {
				tc.entry.Expires = "2099-01-01"
			}
			kept, ignored, notes := ignore.Apply(
				report, []ignore.Entry{tc.entry}, time.Date(2026, 6, 15, 23, 59, 0, 0, time.UTC),
			)
			var paths []string
			for _, f := range kept.Findings {
				paths = append(paths, f.Path)
			}
			if diff := cmp.Diff(tc.kept, paths); diff != "" || len(notes) != tc.notes ||
				len(ignored)+len(paths) != len(report.Findings) {
				t.Errorf("%s: %d ignored, notes %v, -want +got:\n%s", tc.reason, len(ignored), notes, diff)
			}
		})
	}
}

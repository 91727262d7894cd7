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
		"complete entry": {reason: "one that is complete", entry: "{rule: field-removed" + rest, want: ""},
		"entry that matches everything": {
			reason: "a file must not switch the program off",
			entry:  "{cluster: east" + rest,
			want:   "matches everything",
		},
		"rule that is misspelt": {
			reason: "a rule that is misspelt would ignore nothing",
			entry:  "{rule: field-gone" + rest,
			want:   `no rule "field-gone"`,
		},
		"no owner": {
			reason: "somebody answers for it",
			entry:  "{rule: field-removed, reason: x, expires: '2026-12-31'}",
			want:   "has no owner",
		},
		"no reason": {
			reason: "and says why",
			entry:  "{rule: field-removed, owner: x, expires: '2026-12-31'}",
			want:   "has no reason",
		},
		"no last day": {
			reason: "and not for ever",
			entry:  "{rule: field-removed, owner: x, reason: x}",
			want:   "is not a day",
		},
		"key that is misspelt": {
			reason: "a misspelt key would match more than was meant",
			entry:  "{rules: field-removed" + rest,
			want:   "unknown field",
		},
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
		"path of another field": {
			reason: "one path is not what is below it",
			entry:  ignore.Entry{Path: "spec.x"},
			kept:   []string{"spec.x.y", "spec.xy", "status"},
			notes:  0,
		},
		"path with three dots": {
			reason: "three dots are",
			entry:  ignore.Entry{Path: "spec.x..."},
			kept:   []string{"spec.xy", "status"},
			notes:  0,
		},
		"rule alone": {reason: "a rule anywhere", entry: ignore.Entry{Rule: "field-removed"}, kept: nil, notes: 0},
		"entry of another cluster": {
			reason: "another cluster; nothing matches, which is told",
			entry:  ignore.Entry{Rule: "field-removed", Cluster: "west"},
			kept:   []string{"spec.x", "spec.x.y", "spec.xy", "status"},
			notes:  1,
		},
		"fingerprint": {
			reason: "one finding",
			entry:  ignore.Entry{Fingerprint: at("status").Fingerprint()},
			kept:   []string{"spec.x", "spec.x.y", "spec.xy"},
			notes:  0,
		},
		"last day": {
			reason: "the last day counts",
			entry:  ignore.Entry{Path: "status", Expires: "2026-06-15"},
			kept:   []string{"spec.x", "spec.x.y", "spec.xy"},
			notes:  0,
		},
		"day after the last": {
			reason: "what is over ignores nothing, and is told",
			entry:  ignore.Entry{Path: "status", Expires: "2026-06-14"},
			kept:   []string{"spec.x", "spec.x.y", "spec.xy", "status"},
			notes:  1,
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

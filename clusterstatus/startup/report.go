package startup

import (
	"cmp"
	"slices"
)

// Check is one of the start-up checks.
type Check int

// The checks, in the order of seed.md.
const (
	// SupervisorCRDs: the CRDs of vitistack.io have the fields that are used.
	SupervisorCRDs Check = iota + 1
	// KubevirtConfigs: there is at least one.
	KubevirtConfigs
	// Connectivity: the remote cluster answers.
	Connectivity
	// KubeVirt: it is installed and running in the remote cluster.
	KubeVirt
	// CRDCompatibility: the remote clusters agree on the CRDs of kubevirt.io.
	CRDCompatibility
)

// String is the name in the metric.
func (c Check) String() string {
	return [...]string{"", "supervisorCRDs", "kubevirtConfigs", "connectivity", "kubeVirt", "crdCompatibility"}[c]
}

// Verdict is the outcome for one thing that was looked at.
type Verdict int

// The verdicts, from good to bad.
const (
	// OK: it is as it should be.
	OK Verdict = iota
	// Unknown: there was no answer.
	Unknown
	// Warn: somebody should look at it. The operator works on as well as it can.
	Warn
)

// String is the name in the metric.
func (v Verdict) String() string { return [...]string{"ok", "unknown", "warn"}[v] }

// Result is what was found about one thing; it is one line in the log.
type Result struct {
	Check   Check
	Verdict Verdict
	// Message is one of a few constant texts, without the mark.
	Message string
	// Config is the KubevirtConfig's name; "" for the supervisor.
	Config string
	// CRD is the definition's name, Field a path in it (alternatives are joined by " or "); "" where it is about none.
	CRD, Field string
	// Version of the CRD, or of KubeVirt.
	Version string
	// Baseline is the KubevirtConfig that Config was compared with.
	Baseline string
	// Count is the number of KubevirtConfigs, or of differences; 0 where it does not apply.
	Count int
	// Reason says more, for people. It holds nothing of a Secret.
	Reason string
}

// Report is the outcome of all checks.
type Report struct {
	// Results are sorted by check, config, CRD, version, message and field.
	Results []Result
}

// OK reports whether every single result is.
func (r Report) OK() bool {
	return !slices.ContainsFunc(r.Results, func(result Result) bool { return result.Verdict != OK })
}

func newReport(results ...[]Result) Report {
	all := slices.Concat(results...)
	slices.SortFunc(all, func(a, b Result) int {
		return cmp.Or(
			cmp.Compare(a.Check, b.Check),
			cmp.Compare(a.Config, b.Config),
			cmp.Compare(a.CRD, b.CRD),
			cmp.Compare(a.Version, b.Version),
			cmp.Compare(a.Message, b.Message),
			cmp.Compare(a.Field, b.Field),
		)
	})
	return Report{Results: all}
}

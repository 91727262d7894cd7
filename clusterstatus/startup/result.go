package startup

import "github.com/vitistack/kubevirt-multicluster/crdcheck/render"

// Check is one of the start-up checks.
type Check int

// The checks, in the order of the specification.
const (
	// SupervisorCRDs: the CRDs of vitistack.io have the fields that are used.
	SupervisorCRDs Check = iota + 1
	// KubevirtConfigs: there is at least one.
	KubevirtConfigs
	// Connectivity: the remote cluster answers.
	Connectivity
	// KubeVirt: it is installed and running in the remote cluster.
	KubeVirt
	// CRDCompatibility: the remote cluster has what is used of kubevirt.io's CRDs, and the clusters
	// agree on it.
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
	// CRD is the definition's name, Field a path in it (alternatives are joined by " or "); ""
	// where it is about none.
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

// line is the text of the result, with its mark.
func (r Result) line() string {
	if r.Verdict == OK {
		return render.Good + " " + r.Message
	}
	return render.Warning + " " + r.Message
}

// values are the key-value pairs of a result's line.
func (r Result) values() []any {
	var values []any
	for _, pair := range []struct{ key, value string }{
		{"kubevirtConfig", r.Config}, {"crd", r.CRD}, {"field", r.Field}, {"version", r.Version},
		{"baseline", r.Baseline}, {"reason", r.Reason},
	} {
		if pair.value != "" {
			values = append(values, pair.key, pair.value)
		}
	}
	if r.Count > 0 {
		values = append(values, "count", r.Count)
	}
	return values
}

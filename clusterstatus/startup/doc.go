// Package startup runs the checks of a starting operator and reports: it never ends the process and never holds up its start.
//
//	checks := startup.New(mgr.GetAPIReader(), remotes, startup.Options{Elected: mgr.Elected()})
//	err := checks.SetupWithManager(mgr, remotes)
//
// The five checks, of seed.md's "Initialization Checks": the supervisor's CRDs have the fields that are used; there is a KubevirtConfig;
// each remote cluster can be reached; KubeVirt is installed and running there; the remote clusters agree on KubeVirt's CRDs.
//
// All run once; those of one cluster again when its KubevirtConfig comes or changes, or when it answers for the first time. Then only what
// is new is logged; the metric operator_startup_check has the latest results. Each logs a line that begins with ✅ or ⚠️ for what it looked at. All clusters are looked at side by side, each within
// its own deadline: a cluster that hangs delays its own lines and the comparison of the clusters, nothing else. What got no answer is
// Unknown, never well and never missing. Nothing is written to any cluster.
package startup

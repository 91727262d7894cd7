// Package startup has the lines with which a starting operator reports what it found, as text in
// its log. It asks nobody but the supervisor, once: what it says of remote clusters follows from
// the conditions that clusterstatus finds.
//
//	lines := startup.New(mgr.GetAPIReader(), startup.Options{})
//	err := lines.SetupWithManager(mgr)
//	reconciler := clusterstatus.NewReconciler(mgr.GetClient(), remotes, clusterstatus.Options{StartUp: lines})
//
// The five checks, those of "Initialization Checks" in the specification: the supervisor's
// definitions have the fields that are used; there is a KubevirtConfig; each remote cluster is
// connected; KubeVirt is installed and running there; the remote clusters agree on KubeVirt's
// definitions.
//
// A line begins with ✅ or ⚠️. What is not well is told until it is well for the first time; after
// that it is no matter of a start, and the conditions of the KubevirtConfig tell it. What was told
// is not told again, unless the KubevirtConfig is another object or stands for another cluster.
// What got no answer is Unknown, never well and never missing. The metric operator_startup_check
// has what holds now. Nothing is written to any cluster, and nothing here ends the process or holds
// up its start.
package startup

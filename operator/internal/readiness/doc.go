// Package readiness says whether a Machine can run in a cluster, and why not.
//
//	needs, err := readiness.NeedsOf(readiness.Input{VM: vm, Claims: claims})
//	report := readiness.Judge(needs, facts, time.Now())
//	fmt.Println(report.Config, report.Verdict, report.Score)
//
// It is pure: package gather (below it) asks the clusters, only when somebody wants to know. Begin
// with judge.go, which has the list of checks.
//
// # Guarantees
//
// A verdict is no only where a fact says so. A fact that is missing, forbidden or older than MaxAge
// makes a check unknown: it turns no check into ok. An ok is no promise either: the world changes,
// and the write decides again.
//
// Not looked at: whether another virtual machine has a MAC address of this one (it would take a
// list of all virtual machines of a cluster), and what a launcher Pod needs beyond its guest (a few
// hundred MiB), so that room and quotas are said to be too small only where the guest alone does
// not fit.
package readiness

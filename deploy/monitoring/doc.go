// Package monitoring proves that the alerts and dashboards in its folder say what is so: a real
// Prometheus scrapes the operator, whose fleet has, one after the other, the fault of each alert.
//
// There is no code but tests. TestMonitoring lets each alert of rules.yaml fire by its own fault,
// with the page that it leads to, and sees it go once the fault is mended; then it evaluates each
// expression of fleet.json and operator.json over what was recorded meanwhile, as Grafana would.
// Times in the rules are divided by a factor, by their syntax tree (scale_test.go), so that nothing
// of a rule stands here a second time. An alert without a fault fails the test.
//
// It is a module of its own, outside the workspace: what Prometheus needs would drag the versions of
// what the operator needs. It takes four minutes, two and a half of which is the time after which
// the operator gives a silent watch up.
package monitoring

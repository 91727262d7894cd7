// Package report has the rows that a bench prints: one measured number, the bound that it has to
// hold, and whether it does.
//
//	run := report.NewRun()
//	run.Rows = append(run.Rows, report.Median("creation", report.Ratio, 1.15, ratios))
//	err := run.Text(os.Stdout) // creation 1.131 1.15 PASS
//	err = run.Save("run.json")
//
// Text is for people, JSON for tools: package testkit/pictures draws from it. Every program that
// measures prints in this one form, so that its rows can be put beside those of others.
package report

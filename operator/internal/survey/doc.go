// Package survey looks into remote clusters for the judge: past every cache, side by side, and each
// look for a bounded time.
//
//	what := survey.For{Namespace: "team-a", Names: []string{"vm-web"}, UIDLabel: uid}
//	looks := survey.All(ctx, clusters, configs, what)
//	finding := custody.Case{Machine: subject, Looks: looks.Looks()}.Place(choice)
//
// What a look found counts for one reconcile. Facts (facts.go) hardly ever change and are
// remembered for half a minute, so that many Machines at once do not each ask for them.
package survey

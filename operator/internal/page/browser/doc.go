// Package browser has the tests of the Fleet page in a browser, Debian's chromium: 5 clusters and
// 2,000 Machines, a cluster that goes and comes back, accessibility, keys and addresses.
//
// The supervisor, its objects and the page are real, and so is cluster-east: a control plane behind
// a proxy that can be told to refuse. The other four are that control plane once more, each behind
// a proxy that gives it an identity of its own. Nobody works on the Machines: what is shown of them
// the test writes into their status, through the API server.
//
// With -update the screenshots of README.md are made anew.
package browser

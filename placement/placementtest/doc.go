// Package placementtest is the conformance suite of package placement: what every strategy must
// keep, ours or foreign, in the same process or in another one.
//
//	func TestConformance(t *testing.T) { placementtest.Run(t, zone.Strategy{}) }
//
// It knows nothing of what a strategy decides, only how a strategy must behave. Strategies that
// read labels or the like should also be run with [RunRequests] on requests that bring them to
// decide.
package placementtest

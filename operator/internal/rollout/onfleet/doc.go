// Package onfleet holds the tests that roll restarts out over real clusters: how many Machines an
// observer sees not Ready at once, whatever ends, falls silent or does not come back.
package onfleet

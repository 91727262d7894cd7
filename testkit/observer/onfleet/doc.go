// Package onfleet holds the observer to real clusters: a person who has the operator's name there does
// what the operator must never do, and the observer names it.
package onfleet

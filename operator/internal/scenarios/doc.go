// Package scenarios holds the tests of the operator as a program: built with the race detector,
// started as people start it, on real control planes, with its placement plugins and exactly the
// documented rights.
package scenarios

// Package journeys holds the tests that move Machines between real clusters: that the guest is the
// same afterwards, that no two ever run and no disk is lost whatever ends or falls silent, and what
// people are told.
package journeys

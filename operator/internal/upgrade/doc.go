// Package upgrade holds the test that one version of the operator replaces another, and that the
// former takes over again. The former version is built from this repository's own history, as
// released: its programs, its definitions and its rights.
//
// Open upgrade_test.go first.
package upgrade

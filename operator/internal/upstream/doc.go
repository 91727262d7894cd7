// Package upstream holds the list of what went wrong in the public operator, each with its story
// and the tests that keep it from happening here.
package upstream

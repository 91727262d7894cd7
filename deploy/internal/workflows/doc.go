// Package workflows holds the tests of the workflows in .github/workflows: they are valid, may do no
// more than they need, run nothing that others can change, and call what people call.
package workflows

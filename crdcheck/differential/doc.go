// Package differential holds crdcheck to other people's definitions and to another tool: public
// definitions are read from their modules, which are downloaded when the tests run, and what crdify
// finds in them must be found. It is a module of its own, outside the workspace, because crdify's
// dependencies would drag ours.
//
// Open projects_test.go first: it lists the projects. What is found in them is counted in
// testdata/findings.txt.
package differential
